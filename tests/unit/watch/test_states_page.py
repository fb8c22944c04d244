"""docs/states.md shows the tables of the code, row by row."""

from pathlib import Path

from atalaia.watch.model.incidents import INCIDENT_RULES, STEP_RULES
from atalaia.watch.model.states import CHECK_RULES, PLACE_RULES

PAGE = Path(__file__).parents[3] / "docs" / "states.md"


def _table(name: str) -> list[tuple[str, ...]]:
    text = PAGE.read_text(encoding="utf-8").split(f"<!-- table: {name} -->")[1].strip()
    rows = [line for line in text.split("\n\n")[0].splitlines() if line.startswith("|")]
    return [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows[2:]]


def test_the_place_table_is_the_one_on_the_page() -> None:
    assert _table("place") == [tuple(map(str, rule)) for rule in PLACE_RULES]


def test_the_check_table_is_the_one_on_the_page() -> None:
    assert _table("check") == [tuple(map(str, rule)) for rule in CHECK_RULES]


def test_the_incident_table_is_the_one_on_the_page() -> None:
    assert _table("incident") == [tuple(map(str, rule)) for rule in INCIDENT_RULES]


def test_the_steps_table_is_the_one_on_the_page() -> None:
    expected = [(str(rule.cause or "none"), str(rule.after), ", ".join(rule.steps)) for rule in STEP_RULES]
    assert _table("steps") == expected
