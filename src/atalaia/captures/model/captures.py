"""A capture as it is kept."""

from datetime import datetime

import msgspec

from atalaia.captures.model.recordings import Format, Note


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    upstream: str
    format: Format
    browser: str
    size_bytes: int
    imported_at: datetime
    imported_by: str
    sent: int
    received: int
    actions: list[str]
    notes: list[Note]


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did. `changed` are actions with a new version in force; a file that was imported before is not new."""

    capture: Capture
    is_new: bool
    changed: list[str]
    unchanged: list[str]
