"""What importing a file of residents would do, row by row: it adds and changes, and takes nothing away. Pure.

Rows of one name and flat are one resident: the one of that name and flat in the register, else, where nobody else has the name
there or in the file, the one of that name with the same e-mail, phone or tag. Which rows contradict each other is found in the
file alone. An empty cell leaves what is kept. So the same file changes nothing a second time.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.residents import MOST_TAGS, Resident, Tag
from atalaia.integrations.cvepro.model.rosters import Roster, Said, SheetRow, fold, read_row

_VALUES: Final = ("name", "flat", "phone", "email")
_FOLDED: Final = frozenset({"name", "flat"})

Identity = tuple[str, str]  # name and flat, folded


class RowState(StrEnum):
    ERROR = "error"
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Change(msgspec.Struct, frozen=True):
    """`field` of the form; None: nothing was there."""

    field: str
    before: str | None
    after: str


class Problem(msgspec.Struct, frozen=True):
    field: str
    text: str
    params: Mapping[str, Any] = {}


class RowPlan(msgspec.Struct, frozen=True, kw_only=True):
    """`key`: the resident's id, or `line:<n>` of one that is new; `moved`: tag → whose it is until then."""

    line: int
    state: RowState
    name: str
    flat: str
    key: str = ""
    values: Mapping[str, str | None] = {}
    tags: tuple[str, ...] = ()
    moved: Mapping[str, str] = {}
    changes: tuple[Change, ...] = ()
    problem: Problem | None = None


class _Person(msgspec.Struct, eq=False):
    """A resident as the rows so far leave it; `key` is empty before the first row of one that is new."""

    key: str
    values: dict[str, str | None]
    tags: set[str]


class _Group(msgspec.Struct, eq=False):
    """What the file says of one resident: each value with the line that said it first."""

    said: dict[str, tuple[str, int]] = {}
    tags: set[str] = set()
    person: _Person | None = None


def planned(roster: Roster, residents: Iterable[Resident], tags: Iterable[Tag], *, may_move: bool) -> list[RowPlan]:
    """`tags` that are held. In the order of the file."""
    said, problems = _read(roster)
    groups, clashes = _grouped(said)
    problems |= clashes
    register = _Register(residents, tags, may_move=may_move)
    register.match(groups)
    found = []
    for row in roster.rows:
        try:
            if row.line in problems:
                raise problems[row.line]
            found.append(register.take(row.line, said[row.line], groups[_identity(said[row.line])]))
        except InvalidField as error:
            found.append(_wrong(roster, row, Problem(error.field, error.message, error.params)))
    return found


def _read(roster: Roster) -> tuple[dict[int, Said], dict[int, InvalidField]]:
    """By line."""
    said: dict[int, Said] = {}
    problems: dict[int, InvalidField] = {}
    for row in roster.rows:
        try:
            said[row.line] = read_row(roster, row)
        except InvalidField as error:
            problems[row.line] = error
    return said, problems


def _grouped(said: Mapping[int, Said]) -> tuple[dict[Identity, _Group], dict[int, InvalidField]]:
    """A row that contradicts one before it is left out of its group."""
    groups: dict[Identity, _Group] = {}
    owners: dict[str, tuple[_Group, int]] = {}
    clashes: dict[int, InvalidField] = {}
    for line, row in said.items():
        group = groups.setdefault(_identity(row), _Group())
        try:
            _check(row, group, owners)
        except InvalidField as error:
            clashes[line] = error
            continue
        for name in ("phone", "email"):
            if (value := getattr(row, name)) is not None:
                group.said.setdefault(name, (value, line))
        for tag in row.tags:
            owners.setdefault(tag, (group, line))
            group.tags.add(tag)
    return groups, clashes


def _check(row: Said, group: _Group, owners: Mapping[str, tuple[_Group, int]]) -> None:
    """Raises: InvalidField."""
    for name, (value, line) in group.said.items():
        if getattr(row, name) not in {None, value}:
            raise InvalidField(name, N_("Line {line} says something else of the same resident."), line=line)
    for tag in row.tags:
        owner, line = owners.get(tag, (group, 0))
        if owner is not group:
            raise InvalidField("tag", N_("{tag} stands in line {line} too."), tag=tag, line=line)


def _identity(row: Said) -> Identity:
    return fold(row.name), fold(row.flat)


def _wrong(roster: Roster, row: SheetRow, problem: Problem) -> RowPlan:
    def cell(field: str) -> str:
        return next((row.cells[n] for n in roster.columns.get(field, ()) if n < len(row.cells)), "")

    flat = " ".join(text for text in (cell("block"), cell("flat")) if text)
    return RowPlan(line=row.line, state=RowState.ERROR, name=cell("name"), flat=flat, problem=problem)


class _Register:
    def __init__(self, residents: Iterable[Resident], tags: Iterable[Tag], *, may_move: bool) -> None:
        self._may_move = may_move
        self._by_name: dict[str, list[_Person]] = {}
        self._holders: dict[str, _Person] = {}
        people = {each.id: _Person(each.id, {n: getattr(each, n) for n in _VALUES}, set()) for each in residents}
        for person in people.values():
            self._by_name.setdefault(fold(person.values["name"] or ""), []).append(person)
        for tag in tags:
            self._hold(tag.tag, people[tag.resident_id])

    def match(self, groups: Mapping[Identity, _Group]) -> None:
        """A group without a person is of several that could be meant."""
        names = Counter(name for name, _ in groups)
        for (name, flat), group in groups.items():
            namesakes = self._by_name.get(name, [])
            found = [each for each in namesakes if fold(each.values["flat"] or "") == flat]
            if not found and len(namesakes) == names[name] == 1:
                found = [each for each in namesakes if _shares(each, group)]
            if len(found) < 2:  # noqa: PLR2004 - several
                group.person = found[0] if found else _Person("", dict.fromkeys(_VALUES), set())

    def take(self, line: int, said: Said, group: _Group) -> RowPlan:
        """Raises: InvalidField, and then nothing of the row is taken."""
        person = group.person
        if person is None:
            raise InvalidField("name", N_("Several residents of this name could be meant."))
        news = {name: value for name in _VALUES if (value := _news(person, name, getattr(said, name))) is not None}
        tags = tuple(tag for tag in said.tags if tag not in person.tags)
        moved = self._moved(tags)
        if len(person.tags) + len(tags) > MOST_TAGS:
            raise InvalidField("tag", N_("at most {limit} tags"), limit=MOST_TAGS)
        is_new = not person.key
        changes = () if is_new else _changes(person, news, tags)
        state = RowState.NEW if is_new else RowState.CHANGED if changes else RowState.UNCHANGED
        person.key = person.key or f"line:{line}"
        person.values |= news
        for tag in tags:
            self._hold(tag, person)
        return RowPlan(
            line=line,
            state=state,
            name=said.name,
            flat=said.flat,
            key=person.key,
            values=news,
            tags=tags,
            moved=moved,
            changes=changes,
        )

    def _moved(self, tags: Sequence[str]) -> dict[str, str]:
        """Raises: InvalidField: others have them, and tags may not move."""
        moved: dict[str, str] = {}
        for tag, holder in ((tag, self._holders[tag]) for tag in tags if tag in self._holders):
            name, flat = holder.values["name"], holder.values["flat"]
            if not self._may_move:
                raise InvalidField("tag", N_("{tag} is {name}'s now ({flat})."), tag=tag, name=name, flat=flat)
            moved[tag] = f"{name} ({flat})"
        return moved

    def _hold(self, tag: str, person: _Person) -> None:
        former = self._holders.get(tag)
        if former is not None:
            former.tags.discard(tag)
        self._holders[tag] = person
        person.tags.add(tag)


def _shares(person: _Person, group: _Group) -> bool:
    is_told = any(person.values[name] == value for name, (value, _) in group.said.items())
    return is_told or not person.tags.isdisjoint(group.tags)


def _news(person: _Person, name: str, value: str | None) -> str | None:
    """None where it is no news. Names and flats that differ in case and accents alone are the same."""
    kept = person.values[name]
    if value is None or value == kept or (kept is not None and name in _FOLDED and fold(value) == fold(kept)):
        return None
    return value


def _changes(person: _Person, news: Mapping[str, str | None], tags: Sequence[str]) -> tuple[Change, ...]:
    values = [Change(name, person.values[name], value or "") for name, value in news.items()]
    return (*values, *(Change("tag", None, tag) for tag in tags))
