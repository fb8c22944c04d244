"""What a file of residents would do: each row new, changed, unchanged or wrong; a second time nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from atalaia.integrations.cvepro.model.enrolling import RowPlan, RowState, planned
from atalaia.integrations.cvepro.model.residents import Resident, Tag
from atalaia.integrations.cvepro.model.rosters import SheetRow, read_roster

NOW = datetime(2026, 1, 15, tzinfo=UTC)
HEADINGS = ("nome", "apto", "telefone", "email", "tag")


def resident(id: str, name: str, flat: str, **more: Any) -> Resident:
    return Resident(id=id, name=name, flat=flat, created_at=NOW, changed_at=NOW, **more)


def held(id: str, tag: str) -> Tag:
    return Tag(id=tag, tag=tag, resident_id=id)


def plan(
    rows: Sequence[Sequence[str]],
    residents: Sequence[Resident] = (),
    tags: Sequence[Tag] = (),
    *,
    may_move: bool = False,
) -> list[RowPlan]:
    sheet = [SheetRow(n, tuple(cells)) for n, cells in enumerate([HEADINGS, *rows], 1)]
    return planned(read_roster(sheet, most=1000), residents, tags, may_move=may_move)


def carried_out(plans: Sequence[RowPlan], residents: Sequence[Resident], tags: Sequence[Tag]) -> Any:
    people = {each.id: each for each in residents}
    holders = {each.tag: each.resident_id for each in tags}
    for row in plans:
        if row.state is RowState.NEW:
            people[row.key] = Resident(id=row.key, created_at=NOW, changed_at=NOW, **dict[str, Any](row.values))
        elif row.state is RowState.CHANGED:
            kept = {name: getattr(people[row.key], name) for name in Resident.__struct_fields__}
            people[row.key] = Resident(**{**kept, **row.values})
        holders |= dict.fromkeys(row.tags, row.key)
    return list(people.values()), [held(id_, tag) for tag, id_ in holders.items()]


ANA = resident("ana", "Ana Luísa", "101 A", phone="+5511912345678")


def test_a_row_is_new_changed_or_unchanged_and_says_what() -> None:
    rows = [
        ["Rui", "202", "", "", "aa"],
        ["ana luisa", "101-a", "", "ana@example.org", ""],
        ["Ana Luísa", "101 A", "", "", ""],
    ]
    new, changed, same = plan(rows, [ANA])
    assert (new.state, new.tags, new.values["name"]) == (RowState.NEW, ("AA",), "Rui")
    assert (changed.state, changed.key, dict(changed.values)) == (RowState.CHANGED, "ana", {"email": "ana@example.org"})
    assert [(each.field, each.before, each.after) for each in changed.changes] == [("email", None, "ana@example.org")]
    assert same.state is RowState.UNCHANGED


def test_who_moved_house_is_known_by_the_phone_unless_others_have_the_name() -> None:
    row = ["Ana Luísa", "303", "11 91234-5678", "", ""]
    (moved,) = plan([row], [ANA])
    assert (moved.state, moved.key, dict(moved.values)) == (RowState.CHANGED, "ana", {"flat": "303"})
    assert [each.state for each in plan([["Ana Luisa", "404", "", "", ""]], [ANA])] == [RowState.NEW]
    assert [each.state for each in plan([row], [ANA, resident("other", "Ana Luisa", "9")])] == [RowState.NEW]
    assert [each.state for each in plan([["Rui", "1", "", "", ""]], [resident(n, "Rui", "1") for n in "ab"])] == [
        "error"
    ]


def test_a_tag_that_another_has_is_an_error_with_the_name_unless_tags_may_move() -> None:
    rows, tags = [["Rui", "202", "", "", "a-a"]], [held("ana", "AA")]
    (wrong,) = plan(rows, [ANA], tags)
    assert wrong.state is RowState.ERROR
    assert wrong.problem is not None
    assert (wrong.problem.field, wrong.problem.params["name"]) == ("tag", "Ana Luísa")
    (moved,) = plan(rows, [ANA], tags, may_move=True)
    assert (moved.state, dict(moved.moved)) == (RowState.NEW, {"AA": "Ana Luísa (101 A)"})


def test_lines_that_contradict_each_other_name_one_another() -> None:
    rows = [
        ["Rui", "1", "", "a@b.co", "aa"],
        ["Rui", "1", "", "c@d.co", ""],
        ["Eva", "2", "", "", "aa"],
        ["Rui", "1", "", "", "bb"],
    ]
    first, second, third, fourth = plan(rows, may_move=True)
    assert first.state is RowState.NEW
    assert (second.problem and second.problem.params["line"]) == 2
    assert (third.problem and third.problem.params["line"]) == 2
    assert (fourth.state, fourth.tags) == (RowState.CHANGED, ("BB",))


def test_a_row_without_name_or_with_a_wrong_phone_is_left_out_and_named() -> None:
    nameless, wrong = plan([["", "1", "", "", ""], ["Eva", "2", "123", "", ""]])
    assert (nameless.problem and nameless.problem.field, nameless.line) == ("name", 2)
    assert (wrong.problem and wrong.problem.field, wrong.name, wrong.flat) == ("phone", "Eva", "2")


CELLS = st.tuples(
    st.sampled_from(["Ana", "ÁNA", "Rui", "Eva", ""]),
    st.sampled_from(["1", "2", "3 a", "3-A"]),
    st.sampled_from(["", "11 91234-5678", "11 3333-4444", "x"]),
    st.sampled_from(["", "a@b.co", "c@d.co"]),
    st.sampled_from(["", "aa", "bb;cc", "aa,dd"]),
)


@given(st.lists(CELLS, min_size=1, max_size=8), st.lists(CELLS, max_size=5), st.booleans())
def test_the_same_file_a_second_time_changes_nothing(rows: Any, before: Any, may_move: bool) -> None:
    residents, tags = carried_out(plan(before), [], []) if before else ([], [])
    residents = [
        Resident(**{n: getattr(each, n) for n in Resident.__struct_fields__} | {"id": f"was {each.id}"})
        for each in residents
    ]
    tags = [held(f"was {each.resident_id}", each.tag) for each in tags]
    plans = plan(rows, residents, tags, may_move=may_move)
    again = plan(rows, *carried_out(plans, residents, tags), may_move=may_move)
    assert [each.line for each in again if each.state in {RowState.NEW, RowState.CHANGED}] == []
    assert [each.line for each in again if each.problem] == [each.line for each in plans if each.problem]
