"""What may be set on a check, and that a refusal names the field."""

from typing import Any

import msgspec
import pytest

from atalaia.core.errors import InvalidField
from atalaia.watch.model.checks import CheckKind, CheckSpec, checked
from atalaia.watch.model.options import OPTIONS

HTTP: dict[str, Any] = {"name": "Site", "kind": "http", "target": "https://example.com/"}
BEAT: dict[str, Any] = {"name": "Backup", "kind": "heartbeat", "period_s": 60}


def spec(body: dict[str, Any]) -> CheckSpec:
    return checked(msgspec.convert(body, CheckSpec))


def test_a_name_a_kind_and_a_target_are_enough() -> None:
    policy = spec(HTTP).policy(places=("a",))
    assert (policy.failures_to_down, policy.failures_window, policy.successes_to_up, policy.places) == (2, 2, 1, ("a",))


def test_a_heartbeat_needs_only_its_period() -> None:
    policy = spec(BEAT).policy(places=())
    assert (policy.period_ms, policy.grace_ms, policy.places, policy.failures_to_down) == (60_000, 60_000, ("ping",), 1)


def test_every_kind_but_the_heartbeat_has_options() -> None:
    assert set(OPTIONS) == set(CheckKind) - {CheckKind.HEARTBEAT}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"target": ""}, "target"),
        ({"target": "ftp://example.com"}, "target"),
        ({"interval_s": 0}, "interval_s"),
        ({"interval_s": float("inf")}, "interval_s"),
        ({"timeout_s": -1}, "timeout_s"),
        ({"failures_to_down": 0}, "failures_to_down"),
        ({"failures_to_down": 3, "failures_window": 2}, "failures_window"),
        ({"successes_to_up": 0}, "successes_to_up"),
        ({"degraded_ms": -5}, "degraded_ms"),
        ({"quorum": 2, "agents": ["a"]}, "quorum"),
        ({"agents": ["a", "a"]}, "agents"),
        ({"secrets": {"bearer": "x"}}, "agents"),
        ({"secrets": {"pin": "x"}, "agents": ["a"]}, "secrets.pin"),
        ({"labels": {"bad name": "x"}}, "labels"),
        ({"options": {"metod": "GET"}}, "options"),
        ({"options": {"method": 5}}, "options.method"),
        ({"period_s": 60}, "period_s"),
        ({"kind": "tcp", "target": "example.com"}, "target"),
        ({"kind": "tcp", "target": "example.com:99999"}, "target"),
        ({"kind": "icmp", "target": "http://example.com"}, "target"),
        ({"kind": "postgresql", "target": "postgresql://me:secret@db/x"}, "target"),
    ],
)
def test_a_refusal_names_the_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        spec(HTTP | change)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"period_s": None}, "period_s"),
        ({"period_s": 0}, "period_s"),
        ({"grace_s": -1}, "grace_s"),
        ({"agents": ["a"]}, "agents"),
    ],
)
def test_a_heartbeats_refusal_names_the_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        spec(BEAT | change)
    assert refused.value.field == field


def test_not_a_number_is_refused() -> None:
    with pytest.raises(InvalidField):
        spec(HTTP | {"interval_s": float("nan")})
