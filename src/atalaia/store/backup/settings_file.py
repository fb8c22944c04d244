"""The settings file as it goes into a backup: without its secrets."""

import re
import tomllib
from collections.abc import Collection
from pathlib import Path

from atalaia.core.redaction import redact

NAME = "atalaia.toml"
_SECTION = re.compile(r"^\s*\[\s*([\w.-]+)\s*\]")
_ENTRY = re.compile(r"^\s*([\w-]+)\s*=")


def copy_without_secrets(source: Path, target: Path, *, secret_keys: Collection[str]) -> bool:
    """Copy it line by line, leaving out every setting of `secret_keys` and whatever is named like a secret.

    Says whether it was copied: a file of a form that this can't be sure of is left out as a whole.
    """
    if not source.is_file():
        return False
    section, kept = "hub", []
    for line in source.read_text(encoding="utf-8").splitlines():
        if found := _SECTION.match(line):
            section = found[1]
        entry = _ENTRY.match(line)
        is_secret = entry is not None and (f"{section}.{entry[1]}" in secret_keys or _is_named_like_one(entry[1]))
        kept.append(f"# {entry[1]}: a secret, not in the backup" if entry and is_secret else line)
    text = "\n".join(kept) + "\n"
    if not _is_clean(text, secret_keys):
        return False
    target.write_text(text, encoding="utf-8")
    return True


def _is_named_like_one(name: str) -> bool:
    return bool(redact("text", name=name) != "text")


def _is_clean(text: str, secret_keys: Collection[str]) -> bool:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError:  # a secret over several lines was cut in two
        return False
    flat = {name: value for name, value in content.items() if not isinstance(value, dict)}
    sections = {"hub": flat} | {name: value for name, value in content.items() if isinstance(value, dict)}
    return all(
        f"{section}.{name}" not in secret_keys and redact(value, name=name) == value
        for section, body in sections.items()
        for name, value in body.items()
    )
