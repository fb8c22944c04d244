"""Writes docs/reference/*.md from the code itself: settings, commands, error codes, metrics, pages.

    .venv/bin/python scripts/reference.py

A test compares (tests/architecture/test_reference.py), so that what is new can't stay undocumented.
"""

import ast
import asyncio
import re
import sys
import tempfile
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import typer

from atalaia.app.hub import Hub
from atalaia.app.options import HubOptions
from atalaia.app.slices import declared_settings
from atalaia.cli import build
from atalaia.core.errors import AtalaiaError
from atalaia.core.settings import FOREIGN
from atalaia.web.errors import _FRAMEWORK_CODES, STATUS

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"
HEAD = "<!-- Written by scripts/reference.py: change the code, then run it. -->\n"
_FRAMEWORK = re.compile(r"^/(static|openapi|events)")


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in make_pages().items():
        (FOLDER / name).write_text(content, encoding="utf-8")
        sys.stdout.write(f"docs/reference/{name}\n")
    return 0


def make_pages() -> dict[str, str]:
    """File name -> content."""
    build()  # loads every command's module, so that their errors are listed whoever asks first
    with tempfile.TemporaryDirectory(prefix="atalaia-reference-") as folder:
        hub = Hub(HubOptions(Path(folder)))
        try:
            pages = {"pages.md": _pages(hub), "metrics.md": _metrics(hub)}
        finally:
            hub.store.close()
            hub._lock.release()  # noqa: SLF001 - it was never started, so it can't be stopped
    return {**pages, "settings.md": _settings(), "errors.md": _errors(), "commands.md": _commands()}


def _settings() -> str:
    lines = [
        "# Settings\n",
        "Default < the settings page < `atalaia.toml` (in the data directory, or where `ATALAIA_CONFIG` says) < environment <",
        "`…_FILE` (the environment names a file that holds the value). What is set outside is read-only on the page. An unknown",
        "name is an error that names the nearest known one. A key `section.name` is `name` in the table `[section]` of the file;",
        "keys of `hub` may stand before any table.\n",
        _row("key", "environment", "kind", "default", "on the page", "meaning"),
        _row(*["---"] * 6),
    ]
    for setting in sorted(declared_settings(), key=lambda setting: setting.key):
        default = "" if setting.default in (None, "", ()) else f"`{_shown(setting.default)}`"
        page = "yes" if setting.on_page else "no"
        name = f"`{setting.environment}`" + (f", `{setting.alias}`" if setting.alias else "")
        lines.append(_row(f"`{setting.key}`", name, setting.kind, default, page, f"{setting.title}. {setting.help}"))
    lines += [
        "\nOf the commands and scripts around the hub: " + ", ".join(f"`{name}`" for name in sorted(FOREIGN)) + "."
    ]
    return _page(lines)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _errors() -> str:
    lines = [
        "# Error codes\n",
        'Every error answer is `{"error": {"code", "message", "hint", "request_id"}}`, with `field` where one is wrong. The code is',
        "stable; message and hint are in the reader's language. Commands print message and hint, and end with status 1.\n",
        _row("code", "status", "meaning"),
        _row(*["---"] * 3),
    ]
    kinds = list(_error_kinds(AtalaiaError))  # two may have the same name
    classes = {kind.__name__: kind for kind in kinds}
    found: dict[tuple[str, int], set[str]] = {}
    for kind in kinds:
        text = (kind.__doc__ or "").strip().splitlines()
        found.setdefault((kind.code, _status(kind)), set()).update(text[:1] if kind is not AtalaiaError else ())
    for name, code, message in _coded_calls():
        if name in classes:
            found.setdefault((code, _status(classes[name])), set()).add(message)
    for status, code in _FRAMEWORK_CODES.items():
        found.setdefault((code, status), set())
    for (code, status), texts in sorted(found.items()):
        said = "; ".join(sorted(filter(None, texts)))
        lines.append(_row(f"`{code}`", str(status), said or HTTPStatus(status).phrase))
    return _page(lines)


def _error_kinds(top: type[AtalaiaError]) -> Iterator[type[AtalaiaError]]:
    yield top
    for kind in top.__subclasses__():
        if kind.__module__.startswith("atalaia"):
            yield from _error_kinds(kind)


def _status(kind: type[AtalaiaError]) -> int:
    return next((STATUS[each] for each in kind.__mro__ if each in STATUS), 500)


def _coded_calls() -> Iterator[tuple[str, str, str]]:
    """Class, code and message of every error that is made with a code of its own."""
    for path in sorted((ROOT / "src" / "atalaia").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            code = next((each.value for each in node.keywords if each.arg == "code"), None)
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                yield name, code.value, _text(node.args[0]) if node.args else ""


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Call) and node.args:  # N_("…")
        return _text(node.args[0])
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)  # type: ignore[misc]
    if isinstance(node, ast.IfExp):
        return _text(node.body)
    return ""


def _commands() -> str:
    lines = [
        "# Commands\n",
        "Exit status: 0 done; 1 refused or failed, with the reason and what to do on stderr; 2 wrong usage; 3 `migrate --check`",
        "found pending migrations; 130 interrupted. `--install-completion` sets up completion for the shell.\n",
        "The agent's own options: `atalaia agent --help`, and [the guide](../guides/agent.md).\n",
    ]
    for path, command in sorted(_leaves(typer.main.get_command(build()), "atalaia")):
        lines += [f"## `{path}`\n", *_command(command)]
    return _page(lines)


def _leaves(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, part in command.commands.items():
        yield from _leaves(part, f"{path} {name}")


def _command(command: Any) -> Iterator[str]:
    for paragraph in (command.help or command.short_help or "").split("\n\n"):
        text = " ".join(paragraph.split())
        examples = re.split(r"\s*Example: ", text)
        if examples[0]:
            yield examples[0] + "\n"
        yield from (f"```bash\n{example}\n```\n" for example in examples[1:])
    rows = [record for record in map(_parameter, command.params) if record]
    if rows:
        yield _row("option", "meaning")
        yield _row("---", "---")
        yield from (_row(*row) for row in rows)
        yield ""


def _parameter(parameter: Any) -> tuple[str, str] | None:
    if parameter.name == "help":
        return None
    names = ", ".join(parameter.opts) if parameter.param_type_name == "option" else parameter.name.upper()
    text = getattr(parameter, "help", None) or ""
    if parameter.envvar:
        text += f" Environment: `{parameter.envvar}`."
    default = parameter.default
    if default not in (None, False, ()) and not callable(default) and not parameter.required:
        text += f" Default: `{default}`."
    return f"`{names}`", text.strip()


def _metrics(hub: Hub) -> str:
    lines = [
        "# Metrics\n",
        "What `GET /metrics` gives (open to loopback, with a `read` key from elsewhere). The same names are kept as samples.\n",
        _row("name", "type", "meaning"),
        _row(*["---"] * 3),
    ]
    page = asyncio.run(_scrape(hub))
    helps = dict(re.findall(r"^# HELP (\S+) (.*)$", page, flags=re.MULTILINE))
    kinds = dict(re.findall(r"^# TYPE (\S+) (.*)$", page, flags=re.MULTILINE))
    lines += [_row(f"`{name}`", kinds[name], helps.get(name, "")) for name in sorted(kinds)]
    lines += ["\n## Samples of checks\n", *_probe_samples()]
    return _page(lines)


async def _scrape(hub: Hub) -> str:
    route = next(route for part in hub.contributions for route in part.hot_routes if route.path == "/metrics")
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    state = {"request_id": "reference", "client": "127.0.0.1", "peer": "127.0.0.1"}
    scope = {"type": "http", "method": "GET", "path": "/metrics", "query_string": b"", "headers": [], "state": state}
    await route.handler({**scope, "client": ("127.0.0.1", 1)}, receive, send)
    return b"".join(message.get("body", b"") for message in sent).decode()


def _probe_samples() -> Iterator[str]:
    """The table in the docstring of the module that writes them."""
    source = (ROOT / "src" / "atalaia" / "watch" / "service" / "results.py").read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(source)) or ""
    yield _row("name", "meaning")
    yield _row("---", "---")
    for name, meaning in re.findall(r"^ {4}([a-z_]+) {2,}(.+)$", docstring, flags=re.MULTILINE):
        yield _row(f"`{name}`", meaning)


def _pages(hub: Hub) -> str:
    lines = [
        "# Pages\n",
        "Every page and the permission that it needs; the routes of the API are described at `/openapi.json`.\n",
        _row("page", "permission"),
        _row("---", "---"),
    ]
    framework: Any = hub.asgi._app  # noqa: SLF001 - the routes as they are served
    rows = set()
    for route in framework.routes:
        for handler in getattr(route, "route_handlers", ()):
            if (
                "GET" in handler.http_methods
                and not handler.resolve_include_in_schema()
                and not _FRAMEWORK.match(route.path)
            ):
                guards = [getattr(guard, "func", guard) for guard in handler.resolve_guards()]
                names = [str(guard.permission) for guard in guards if hasattr(guard, "permission")]
                rows.add(_row(f"`{route.path_format}`", ", ".join(names)))
    return _page([*lines, *sorted(rows)])


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _page(lines: list[str]) -> str:
    return HEAD + "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    sys.exit(main())
