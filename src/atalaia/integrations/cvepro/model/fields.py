"""Fields of the vendor's items, read one by one: whatever comes, nothing is raised, and what could not be read is noted."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Final

_LONGEST_TEXT: Final = 300
_LARGEST: Final = 10**15
# In whole thousandths or millionths: a million MWh, or a thousand million of the currency. Thousands of such still sum up
# to what a database takes.
_LARGEST_SCALED: Final = 10**15
_FORMS: Final = ("%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S")
_YEARS: Final = range(2000, 2101)


@dataclass(slots=True)
class Notes:
    """By path, as `chargePointList[].uuid`: in how many items it was looked for, not there, and of another form than known."""

    asked: Counter[str] = field(default_factory=Counter)
    absent: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)

    def note_cut(self, path: str) -> None:
        """A list holds fewer than it says at this path."""
        self.asked[path] += 1
        self.unreadable[path] += 1

    def changed_paths(self) -> list[str]:
        """Known fields that are missing, or of another form, in over half of the items."""
        return sorted(path for path, n in self.asked.items() if 2 * (self.absent[path] + self.unreadable[path]) > n)

    def unread(self) -> list[str]:
        """What could not be read in any item, each path once; a field that is null is no trouble."""
        return sorted(self.absent.keys() | self.unreadable.keys())


class Item:
    """One object of the vendor's, at a path."""

    __slots__ = ("_found", "_notes", "_path")

    def __init__(self, value: Any, path: str, notes: Notes) -> None:
        self._path = path
        self._notes = notes
        self._found: dict[str, Any] = value if isinstance(value, dict) else {}

    def called(self, *names: str) -> str:
        """The first of these names that is there; where none is, the first."""
        return next((name for name in names if name in self._found), names[0])

    def text(self, name: str) -> str | None:
        """A number counts as a text: ids come as either."""
        value = self._take(name)
        if isinstance(value, str):
            return clean(value) or None
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST:
            return str(value)
        self._unreadable(name, value)
        return None

    def words(self, name: str) -> str | None:
        """A text that no number can be."""
        value = self._take(name)
        if isinstance(value, str):
            return clean(value) or None
        self._unreadable(name, value)
        return None

    def number(self, name: str) -> float | None:
        found = self._number(name)
        return None if found is None else float(found)

    def thousandths(self, name: str) -> int | None:
        """In thousandths, rounded half up: exact for what the vendor tells."""
        return self._scaled(name, 3)

    def millionths(self, name: str) -> int | None:
        return self._scaled(name, 6)

    def flag(self, name: str) -> bool | None:
        value = self._take(name)
        if isinstance(value, bool):
            return value
        self._unreadable(name, value)
        return None

    def instant(self, name: str, zone: tzinfo) -> datetime | None:
        """`zone` is that of times which don't name theirs."""
        value = self._take(name)
        found = read_instant(value, zone=zone)
        if found is None:
            self._unreadable(name, value)
        return found

    def object(self, name: str) -> "Item | None":
        value = self._take(name)
        if isinstance(value, dict):
            return Item(value, f"{self._path}.{name}", self._notes)
        self._unreadable(name, value)
        return None

    def list(self, name: str) -> "Iterator[Item]":
        value = self._take(name)
        if not isinstance(value, list):
            self._unreadable(name, value)
            return
        for each in value:
            if isinstance(each, dict):
                yield Item(each, f"{self._path}.{name}[]", self._notes)
            else:
                self._notes.unreadable[f"{self._path}.{name}[]"] += 1

    def _scaled(self, name: str, digits: int) -> int | None:
        found = self._number(name)
        if found is None:
            return None
        scaled = math.floor(found.scaleb(digits) + Decimal("0.5"))
        if abs(scaled) < _LARGEST_SCALED:
            return scaled
        self._unreadable(name, found)
        return None

    def _number(self, name: str) -> Decimal | None:
        found = read_number(value := self._take(name))
        if found is None:
            self._unreadable(name, value)
        return found

    def _take(self, name: str) -> Any:
        path = f"{self._path}.{name}"
        self._notes.asked[path] += 1
        if name not in self._found:
            self._notes.absent[path] += 1
        return self._found.get(name)

    def _unreadable(self, name: str, value: Any) -> None:
        """Null says nothing; an empty text says as much."""
        if value is not None and value != "":
            self._notes.unreadable[f"{self._path}.{name}"] += 1


def clean(text: str) -> str:
    """What a database and a page take."""
    return "".join(letter for letter in text if letter.isprintable()).strip()[:_LONGEST_TEXT]


def read_instant(value: Any, *, zone: tzinfo) -> datetime | None:
    """`2026-01-31 12:00:00`, `31/01/2026 12:00:00`, or ISO 8601; aware UTC."""
    if not isinstance(value, str):
        return None
    found = _parsed(value.strip())
    if found is None or found.year not in _YEARS:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def _parsed(text: str) -> datetime | None:
    for form in _FORMS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - the caller says in which zone
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def read_number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(str(value).strip())
    except (InvalidOperation, ValueError):
        return None
    # Not abs(), which works out what it is given, and fails for 1e1000000.
    return found if found.is_finite() and found.copy_abs() < _LARGEST else None
