"""Snapshots that were kept: found and read."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from atalaia.app.snapshots.writing import SUFFIX
from atalaia.core.errors import NotFound
from atalaia.core.redaction import scrub
from atalaia.core.translations import N_

# Nothing else is read from the folder, whatever an address says.
_NAME: Final = re.compile(r"(?P<at>\d{4}-\d{2}-\d{2}_\d{6})" + re.escape(SUFFIX), re.ASCII)
_WHY: Final = re.compile(r"^Taken because: (?P<why>.*)\.$", re.MULTILINE)
_NOTE: Final = re.compile(r"^> (?P<note>.*)$", re.MULTILINE)
_TABLE: Final = "\n|"  # what stands before it is the head
_HEAD_BYTES: Final = 8192


@dataclass(frozen=True, slots=True)
class KeptSnapshot:
    name: str
    taken_at: datetime
    size_bytes: int
    reason: str
    note: str


def kept_snapshots(folder: Path) -> list[KeptSnapshot]:
    """The newest first; none where the folder is not there."""
    found = (_kept(path) for path in sorted(folder.glob(f"*{SUFFIX}"), reverse=True))
    return [each for each in found if each is not None]


def read_snapshot(folder: Path, name: str) -> tuple[KeptSnapshot, str]:
    """One and its text; what became known as a secret since it was taken is starred out too. Raises: NotFound."""
    kept = _kept(folder / name) if _NAME.fullmatch(name) else None
    if kept is None:
        raise _gone()
    try:
        return kept, scrub((folder / name).read_text(encoding="utf-8", errors="replace"))
    except OSError as error:  # the oldest go when new ones come
        raise _gone() from error


def _gone() -> NotFound:
    return NotFound(N_("there is no such snapshot"), hint=N_("Of many the oldest are dropped."))


def _kept(path: Path) -> KeptSnapshot | None:
    name = _NAME.fullmatch(path.name)
    if name is None:
        return None
    try:
        taken_at = datetime.strptime(name["at"], "%Y-%m-%d_%H%M%S").replace(tzinfo=UTC)
        with path.open("rb") as file:
            head = scrub(file.read(_HEAD_BYTES).decode("utf-8", "replace")).partition(_TABLE)[0]
        size_bytes = path.stat().st_size
    except (OSError, ValueError):
        return None
    why = _WHY.search(head)
    note = "\n".join(_NOTE.findall(head))
    return KeptSnapshot(path.name, taken_at, size_bytes, why["why"].replace("\\|", "|") if why else "", note)
