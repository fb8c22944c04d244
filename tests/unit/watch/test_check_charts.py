"""Charts of a check: lines that say what they are, and phases that add up."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from atalaia.metrics.selectors import parse_selectors
from atalaia.watch.model.checks import CheckKind, CheckSpec
from atalaia.watch.model.states import CheckState
from atalaia.watch.model.values import Check
from atalaia.watch.pages.check_view import charts_of

AT = datetime(2025, 3, 12, tzinfo=UTC)
CHECK = Check(
    id="c1",
    spec=CheckSpec(name="site", kind=CheckKind.HTTP, target="https://example.org/"),
    places=(),
    has_secrets=False,
    is_paused=False,
    revision=1,
    created_at=AT,
    updated_at=AT,
    state=CheckState.UP,
    since_at=AT,
)
PLACES = ("São Paulo, dc1", "Virginia")


def _charts(places: tuple[str, ...], chosen: str | None = None) -> list[dict[str, Any]]:
    return charts_of(CHECK, str, places=places, chosen=chosen)


def _names(chart: dict[str, Any]) -> list[str]:
    return [line["label"] for line in chart["series"]]


def _agents(chart: dict[str, Any]) -> set[str | None]:
    asked = [parse_qs(urlsplit(line["src"]).query)["labels"][0] for line in chart["series"]]
    found = [{term.label: term.value for term in parse_selectors(labels)} for labels in asked]
    return {labels.get("agent") for labels in found}


def test_one_place_shows_its_percentiles() -> None:
    latency, phases = _charts(("São Paulo",))
    assert _names(latency) == ["p50", "p95", "p99"]
    assert all(line["stack"] for line in phases["series"])


def test_of_several_places_each_has_a_line_that_names_it_and_phases_are_of_the_first() -> None:
    latency, phases = _charts(PLACES)
    assert _names(latency) == ["p95 · São Paulo, dc1", "p95 · Virginia"]
    assert _agents(latency) == set(PLACES)
    assert _agents(phases) == {"São Paulo, dc1"}
    assert phases["note"] == "São Paulo, dc1"


def test_a_chosen_place_shows_its_own_percentiles_and_phases() -> None:
    latency, phases = _charts(PLACES, chosen="Virginia")
    assert _names(latency) == ["p50", "p95", "p99"]
    assert _agents(latency) == _agents(phases) == {"Virginia"}
