"""What importing a file of residents would do, row by row: it adds and changes, and takes nothing away. Pure.

A row is somebody who is there already where the name is the same and so is the flat, the e-mail, the phone or a tag. An empty
cell leaves what is kept. So the same file changes nothing a second time.
"""

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


class _Person(msgspec.Struct):
    """A resident as the rows so far leave it; `said`: which line said what of it."""

    key: str
    values: dict[str, str | None]
    tags: set[str]
    said: dict[str, int] = {}


def planned(roster: Roster, residents: Iterable[Resident], tags: Iterable[Tag], *, may_move: bool) -> list[RowPlan]:
    """`tags` that are held. In the order of the file, each row seeing what those before it do."""
    register = _Register(residents, tags, may_move=may_move)
    return [_plan(roster, row, register) for row in roster.rows]


def _plan(roster: Roster, row: SheetRow, register: "_Register") -> RowPlan:
    try:
        return register.take(row.line, read_row(roster, row))
    except InvalidField as error:
        return _wrong(roster, row, Problem(error.field, error.message, error.params))


def _wrong(roster: Roster, row: SheetRow, problem: Problem) -> RowPlan:
    def cell(field: str) -> str:
        return next((row.cells[n] for n in roster.columns.get(field, ()) if n < len(row.cells)), "")

    flat = " ".join(text for text in (cell("block"), cell("flat")) if text)
    return RowPlan(line=row.line, state=RowState.ERROR, name=cell("name"), flat=flat, problem=problem)


class _Register:
    def __init__(self, residents: Iterable[Resident], tags: Iterable[Tag], *, may_move: bool) -> None:
        self._may_move = may_move
        self._people: dict[str, _Person] = {}
        self._by_name: dict[str, list[_Person]] = {}
        self._holders: dict[str, _Person] = {}
        for each in residents:
            self._add(_Person(each.id, {name: getattr(each, name) for name in _VALUES}, set()))
        for tag in tags:
            self._hold(tag.tag, self._people[tag.resident_id])

    def take(self, line: int, said: Said) -> RowPlan:
        """Raises: InvalidField, and then nothing of the row is taken."""
        found = self._same(said)
        person = found or _Person(f"line:{line}", dict.fromkeys(_VALUES), set())
        news = {name: value for name in _VALUES if (value := _news(person, name, getattr(said, name))) is not None}
        self._check_said(person, news)
        tags = tuple(tag for tag in said.tags if tag not in person.tags)
        moved = self._moved(tags)
        if len(person.tags) + len(tags) > MOST_TAGS:
            raise InvalidField("tag", N_("at most {limit} tags"), limit=MOST_TAGS)
        plan = RowPlan(
            line=line,
            state=_state(found, news, tags),
            name=said.name,
            flat=said.flat,
            key=person.key,
            values=news,
            tags=tags,
            moved=moved,
            changes=_changes(person, news, tags) if found else (),
        )
        self._put(person, said, news, line=line, is_new=found is None)
        return plan

    def _same(self, said: Said) -> _Person | None:
        namesakes = self._by_name.get(fold(said.name), [])
        at_home = [each for each in namesakes if fold(each.values["flat"] or "") == fold(said.flat)]
        found = at_home or [each for each in namesakes if _shares(each, said)]
        if len(found) > 1:
            raise InvalidField("name", N_("Several residents of this name could be meant."))
        return found[0] if found else None

    def _check_said(self, person: _Person, news: Mapping[str, str | None]) -> None:
        for name in news:
            if name in person.said:
                raise InvalidField(
                    name, N_("Line {line} says something else of the same resident."), line=person.said[name]
                )

    def _moved(self, tags: Sequence[str]) -> dict[str, str]:
        moved: dict[str, str] = {}
        for tag in tags:
            holder = self._holders.get(tag)
            if holder is None:
                continue
            if f"tag:{tag}" in holder.said:
                raise InvalidField(
                    "tag", N_("{tag} stands in line {line} too."), tag=tag, line=holder.said[f"tag:{tag}"]
                )
            name, flat = holder.values["name"], holder.values["flat"]
            if not self._may_move:
                raise InvalidField("tag", N_("{tag} is {name}'s now ({flat})."), tag=tag, name=name, flat=flat)
            moved[tag] = f"{name} ({flat})"
        return moved

    def _put(self, person: _Person, said: Said, news: Mapping[str, str | None], *, line: int, is_new: bool) -> None:
        person.values |= news
        told = [name for name in _VALUES if getattr(said, name) is not None]
        person.said |= {name: line for name in (*told, *(f"tag:{tag}" for tag in said.tags)) if name not in person.said}
        if is_new:
            self._add(person)
        for tag in said.tags:
            self._hold(tag, person)

    def _add(self, person: _Person) -> None:
        self._people[person.key] = person
        self._by_name.setdefault(fold(person.values["name"] or ""), []).append(person)

    def _hold(self, tag: str, person: _Person) -> None:
        former = self._holders.get(tag)
        if former is not None:
            former.tags.discard(tag)
        self._holders[tag] = person
        person.tags.add(tag)


def _shares(person: _Person, said: Said) -> bool:
    values = person.values
    is_mail = said.email is not None and said.email == values["email"]
    is_phone = said.phone is not None and said.phone == values["phone"]
    return is_mail or is_phone or not person.tags.isdisjoint(said.tags)


def _news(person: _Person, name: str, value: str | None) -> str | None:
    """None where it is no news. Names and flats that differ in case and accents alone are the same."""
    kept = person.values[name]
    if value is None or value == kept or (kept is not None and name in _FOLDED and fold(value) == fold(kept)):
        return None
    return value


def _state(found: _Person | None, news: Mapping[str, str | None], tags: Sequence[str]) -> RowState:
    if found is None:
        return RowState.NEW
    return RowState.CHANGED if news or tags else RowState.UNCHANGED


def _changes(person: _Person, news: Mapping[str, str | None], tags: Sequence[str]) -> tuple[Change, ...]:
    values = [Change(name, person.values[name], value or "") for name, value in news.items()]
    return (*values, *(Change("tag", None, tag) for tag in tags))
