"""The machine and the installation on it: git's word on the checkout, systemd's unit files."""

import os
import platform
import re
import socket
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from atalaia.app.snapshots.facts import Checkout, Installation, Unit
from atalaia.core.redaction import STARS, scrub
from atalaia.version import COMMIT, VERSION

_PACKAGE: Final = Path(__file__).resolve().parents[2]
ROOT: Final = _PACKAGE.parents[1] if (_PACKAGE.parents[1] / ".git").exists() else _PACKAGE
# In systemd's own order: what stands in an earlier folder hides a file of the same name in a later one.
UNIT_FOLDERS: Final = (
    Path("/etc/systemd/system"),
    Path("/run/systemd/system"),
    Path("/usr/local/lib/systemd/system"),
    Path("/usr/lib/systemd/system"),
    Path("/lib/systemd/system"),
    Path("~/.config/systemd/user"),
)
_KINDS: Final = ("service", "timer", "socket", "path", "slice")
_OURS: Final = "atalaia"
_UNIT_BYTES: Final = 65_536
_MOST_UNITS: Final = 40
_MOST_CHANGED: Final = 100
_GIT_S: Final = 15
_NAME: Final = r"\b[\w.-]{0,80}(?:pass(?:word|wd|phrase)?|secret|token|api_?key|_key|dsn|credential)\w{0,40}[\"']?\s{0,8}[=:]\s{0,8}"
_VALUE: Final = r"(?P<value>\"[^\"\n]*\"?|'[^'\n]*'?|\S+)"
_SECRETS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<name>(?P<quote>[\"']){_NAME})(?P<value>(?:\\.|(?!(?P=quote)).)+)",  # Environment="NAME=with a space"
        rf"(?P<name>{_NAME}){_VALUE}",
        rf"(?P<name>--?(?:key|password|token|secret|auth)[= ]+){_VALUE}",
        rf"(?P<name>\b(?:bearer|basic)\s+){_VALUE}",
    )
)
_NAMES_A_FILE = re.compile(r"file[\"']?\s*[=:]\s*$|^[\"']?loadcredential", re.IGNORECASE)


def installation(
    *, root: Path = ROOT, unit_folders: Iterable[Path] = UNIT_FOLDERS, host: str | None = None
) -> Installation:
    return Installation(
        host=host or socket.gethostname(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        version=VERSION,
        commit=COMMIT,
        folder=str(root),
        checkout=checkout(root),
        units=read_units(unit_folders),
    )


def checkout(root: Path) -> Checkout | None:
    """None where it is no checkout, or git is not there."""
    if not (root / ".git").exists():
        return None
    branch, head = _git(root, "rev-parse", "--abbrev-ref", "HEAD"), _git(root, "log", "-1", "--format=%H%n%s")
    changed = _git(root, "status", "--porcelain")
    if branch is None or head is None or changed is None:
        return None
    commit, _, subject = head.partition("\n")
    lines = changed.splitlines()
    more = [f"… and {len(lines) - _MOST_CHANGED} more"] if len(lines) > _MOST_CHANGED else []
    name = "(detached)" if branch.strip() == "HEAD" else branch.strip()
    return Checkout(name, commit.strip(), subject.strip(), [*lines[:_MOST_CHANGED], *more])


def _git(root: Path, *arguments: str) -> str | None:
    """What it says; the installation is often root's while the hub is not, which git refuses unless it is told."""
    command = ["git", "-C", str(root), "-c", f"safe.directory={root}", "-c", "core.fsmonitor=false", *arguments]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(command, capture_output=True, env=environment, timeout=_GIT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")


def read_units(folders: Iterable[Path] = UNIT_FOLDERS) -> list[Unit]:
    """Units that are named after the product or speak of it, each followed by its drop-ins."""
    there = [folder.expanduser() for folder in folders]
    found: dict[str, list[Unit]] = {}
    for folder in dict.fromkeys(path.resolve() for path in there if path.is_dir()):
        for path in _unit_files(folder):
            text = _read(path)
            if path.name not in found and text is not None and (_OURS in path.name or _OURS in text):
                found[path.name] = [Unit(str(path), redacted(text)), *_drop_ins(there, path.name)]
    return [unit for name in sorted(found) for unit in found[name]][:_MOST_UNITS]


def _unit_files(folder: Path) -> Iterator[Path]:
    for kind in _KINDS:
        yield from sorted(folder.glob(f"*.{kind}"))


def _drop_ins(folders: Sequence[Path], name: str) -> Iterator[Unit]:
    seen = set()
    for folder in folders:
        for path in sorted((folder / f"{name}.d").glob("*.conf")):
            text = _read(path)
            if text is not None and path.resolve() not in seen:
                seen.add(path.resolve())
                yield Unit(str(path), redacted(text))


def _read(path: Path) -> str | None:
    """None where it can't be read, or is masked."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(_UNIT_BYTES).decode("utf-8", "replace")
    except OSError:
        return None


def redacted(text: str) -> str:
    """A unit's text with stars for what is named like a secret; names of files that hold one stay."""

    def starred(found: re.Match[str]) -> str:
        if _NAMES_A_FILE.search(found["name"]) or found["value"].startswith(STARS):
            return found[0]
        return f"{found['name']}{STARS}"

    for pattern in _SECRETS:
        text = pattern.sub(starred, text)
    return scrub(text)
