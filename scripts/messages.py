"""Which texts there are, and which have no Portuguese yet.

`python scripts/messages.py` says how many each slice has; `python scripts/messages.py watch` also adds them to
`src/atalaia/watch/translations/pt_BR.po` with an empty translation, and touches nothing but the files of the slices it was
given. tests/architecture/test_translations.py fails while any is open. Texts of the layers below the slices
(core, store, outbound, sdk, runs, app, worker) are kept in web's file.
"""

import ast
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2 import Environment
from jinja2.ext import extract_from_ast

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "atalaia"
KEYWORDS = ("_", "N_", "translate", "ngettext")
# Words of a hub that does not start: said on a terminal, in English.
NOT_ANSWERS = {"ConfigError"}
BELOW_SLICES = {"core", "store", "outbound", "sdk", "runs", "app", "worker", "web", "cli"}
HEADER = """\
msgid ""
msgstr ""
"Language: pt_BR\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n\""""


@dataclass(frozen=True, slots=True)
class Text:
    """One text as the source has it; `plural` is None for a simple one."""

    msgid: str
    plural: str | None
    owner: str
    where: str


def owner_of(path: Path) -> str:
    """The folder below src/atalaia whose translations a file's texts belong to."""
    parts = path.relative_to(SOURCE).parts
    if parts[0] == "integrations" and len(parts) > 2:  # noqa: PLR2004 - integrations/<name>/…
        return f"integrations/{parts[1]}"
    return "web" if parts[0] in BELOW_SLICES or len(parts) == 1 else parts[0]


def texts() -> list[Text]:
    """Everything that is said to people, from templates and from Python."""
    modules = {path: ast.parse(path.read_bytes()) for path in sorted(SOURCE.rglob("*.py"))}
    errors = _error_classes(modules.values())
    found = [text for path, tree in modules.items() for text in _of_module(path, tree, errors)]
    for path in sorted(SOURCE.rglob("templates/**/*.html")):
        found += _of_template(path)
    return found


def _of_template(path: Path) -> Iterator[Text]:
    tree = Environment().parse(path.read_text(encoding="utf-8"))  # noqa: S701 - parsed, never rendered
    for line, name, message in extract_from_ast(tree, KEYWORDS):
        literals = message if isinstance(message, tuple) else (message,)
        if literals[0]:
            plural = literals[1] if name == "ngettext" else None
            yield Text(literals[0], plural, owner_of(path), f"{path.relative_to(ROOT)}:{line}")


def _of_module(path: Path, tree: ast.Module, errors: Mapping[str, int]) -> Iterator[Text]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        where = f"{path.relative_to(ROOT)}:{node.lineno}"
        name = _called(node)
        if name == "ngettext" and len(node.args) > 1:
            singular, plural = _literal(node.args[0]), _literal(node.args[1])
            if singular and plural:
                yield Text(singular, plural, owner_of(path), where)
        elif name in KEYWORDS and node.args and (msgid := _literal(node.args[0])):
            yield Text(msgid, None, owner_of(path), where)
        elif name in errors:
            for msgid in _of_error(node, errors[name]):
                yield Text(msgid, None, owner_of(path), where)


def _of_error(node: ast.Call, message_at: int) -> Iterator[str]:
    arguments = [
        *node.args[message_at : message_at + 1],
        *(k.value for k in node.keywords if k.arg in ("hint", "message")),
    ]
    for argument in arguments:
        if msgid := _literal(argument):
            yield msgid


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value else None


def _error_classes(trees: Iterable[ast.Module]) -> dict[str, int]:
    """Name → index of its message, for all heirs of AtalaiaError; InvalidField names the field first."""
    bases: dict[str, set[str]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = {b.id for b in node.bases if isinstance(b, ast.Name)}
    known = {"AtalaiaError": 0, "InvalidField": 1}
    while heirs := {
        name for name, of in bases.items() if name not in known and of & known.keys() and name not in NOT_ANSWERS
    }:
        known |= {name: max(known[base] for base in bases[name] & known.keys()) for name in heirs}
    return known


def catalogues() -> dict[str, Catalog]:
    """Owner → its Portuguese file."""
    found = {}
    for path in sorted(SOURCE.rglob("translations/pt_BR.po")):
        with path.open("rb") as file:
            found[path.parents[1].relative_to(SOURCE).as_posix()] = read_po(file, locale="pt_BR", abort_invalid=True)
    return found


def missing() -> list[Text]:
    """Texts without a translation in any file."""
    done = {key for catalogue in catalogues().values() for message in catalogue if (key := _translated(message))}
    return [text for text in texts() if text.msgid not in done]


def _translated(message: object) -> str | None:
    """The msgid of a message that is whole; both forms where there are two."""
    msgid, string = message.id, message.string  # type: ignore[attr-defined]
    if isinstance(msgid, str):
        return msgid if string else None
    return msgid[0] if isinstance(string, tuple) and all(string[:2]) else None


def add_missing(owner: str) -> int:
    """Append what is missing to the owner's file, leaving what stands in it as it is."""
    path = SOURCE / owner / "translations" / "pt_BR.po"
    present = {m.id if isinstance(m.id, str) else m.id[0] for m in catalogues().get(owner, ())}
    new = {text.msgid: text for text in missing() if text.owner == owner and text.msgid not in present}
    if new:
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text(encoding="utf-8").rstrip() if path.exists() else HEADER
        path.write_text(before + "\n\n" + "\n".join(map(_entry, new.values())), encoding="utf-8")
    return len(new)


def _entry(text: Text) -> str:
    def quoted(value: str) -> str:
        return json.dumps(value, ensure_ascii=False)

    if text.plural is None:
        return f'msgid {quoted(text.msgid)}\nmsgstr ""\n'
    return f'msgid {quoted(text.msgid)}\nmsgid_plural {quoted(text.plural)}\nmsgstr[0] ""\nmsgstr[1] ""\n'


def main(owners: list[str]) -> int:
    for owner in owners:
        print(f"{owner}: {add_missing(owner)} added")
    still = Counter(text.owner for text in {text.msgid: text for text in missing()}.values())
    for owner, count in sorted(still.items()):
        print(f"{owner}: {count} without a translation")
    return 1 if still else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
