from hypothesis import given
from hypothesis import strategies as st

from atalaia.notify.model.routing import Route, choose_destinations
from atalaia.notify.model.severity import Severity

LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz"), max_size=3)


def _route(channel: str = "c1", **changes: object) -> Route:
    return Route(**{"id": "r1", "channel_id": channel, "match": {}, **changes})  # type: ignore[arg-type]


@given(LABELS, st.sampled_from(Severity))
def test_a_route_without_match_takes_everything(labels: dict[str, str], severity: Severity) -> None:
    assert _route().takes(labels, severity)


@given(LABELS, LABELS)
def test_a_route_takes_what_carries_all_its_labels(match: dict[str, str], labels: dict[str, str]) -> None:
    assert _route(match=match).takes(labels, Severity.INFO) == (match.items() <= labels.items())


def test_severities_are_ordered() -> None:
    route = _route(min_severity=Severity.WARNING)
    assert [route.takes({}, severity) for severity in Severity] == [False, True, True]


def test_two_routes_to_one_channel_tell_it_once_with_the_most_eager_intervals() -> None:
    routes = [
        _route(repeat_interval_s=0, group_wait_s=30),
        _route(repeat_interval_s=600, group_wait_s=0),
        _route(repeat_interval_s=60, group_wait_s=9),
        _route("c2", repeat_interval_s=0),
    ]
    chosen = choose_destinations(routes, labels={}, severity=Severity.INFO)
    assert set(chosen) == {"c1", "c2"}
    assert (chosen["c1"].repeat_interval_s, chosen["c1"].group_wait_s) == (60, 0)
    assert chosen["c2"].repeat_interval_s == 0
