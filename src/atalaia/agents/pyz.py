"""The agent as one file: the package of this installation, zipped so that equal sources make equal bytes."""

import hashlib
import io
import zipfile
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

PACKAGE = "atalaia_agent"
_SHEBANG = b"#!/usr/bin/env python3\n"
_MAIN = "import sys\n\nfrom atalaia_agent.main import main\n\nsys.exit(main())\n"
# The first instant that a zip file knows; real ones would make each build another.
_STAMP = (1980, 1, 1, 0, 0, 0)
_SOURCES = (".py",)


class AgentFile(msgspec.Struct, frozen=True):
    content: bytes
    sha256: str


@lru_cache(maxsize=1)
def agent_file() -> AgentFile:
    buffer = io.BytesIO()
    buffer.write(_SHEBANG)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "__main__.py", _MAIN.encode())
        for name, content in sorted(_walk(files(PACKAGE), PACKAGE)):
            _add(archive, name, content)
    content = buffer.getvalue()
    return AgentFile(content, hashlib.sha256(content).hexdigest())


def _walk(folder: Traversable, path: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        inner = f"{path}/{entry.name}"
        if entry.is_dir():
            found += _walk(entry, inner)
        elif entry.name.endswith(_SOURCES):
            found.append((inner, entry.read_bytes()))
    return found


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _STAMP)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, content)
