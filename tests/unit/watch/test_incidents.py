"""Incidents: what may be done with them, and what a check's changes do."""

import pytest

from atalaia.core.errors import Conflict
from atalaia.notify.model.severity import Severity
from atalaia.watch.model.incidents import (
    INCIDENT_RULES,
    Action,
    Cause,
    IncidentState,
    Step,
    after_action,
    severity_of,
    steps_for,
)
from atalaia.watch.model.standing import Transition
from atalaia.watch.model.states import CheckState


def change(after: CheckState, was: CheckState | None = None) -> Transition:
    return Transition(at_ms=1, before=CheckState.UNKNOWN, after=after, was_settled=was)


@pytest.mark.parametrize("state", list(IncidentState))
@pytest.mark.parametrize("action", list(Action))
def test_only_what_the_table_names_is_possible(state: IncidentState, action: Action) -> None:
    allowed = {(rule.state, rule.action): rule.then for rule in INCIDENT_RULES}
    if (state, action) in allowed:
        assert after_action(state, action) is allowed[state, action]
    else:
        with pytest.raises(Conflict):
            after_action(state, action)


def test_the_first_up_does_nothing() -> None:
    assert steps_for(None, change(CheckState.UP)) == ()


def test_unknown_keeps_the_incident_as_it_is() -> None:
    assert steps_for(Cause.DOWN, change(CheckState.UNKNOWN, CheckState.DOWN)) == ()


def test_down_again_after_unknown_opens_nothing_when_it_was_closed_by_hand() -> None:
    assert steps_for(None, change(CheckState.DOWN, CheckState.DOWN)) == ()


def test_down_after_up_and_unknown_opens() -> None:
    assert steps_for(None, change(CheckState.DOWN, CheckState.UP)) == (Step.OPEN_DOWN,)


def test_degraded_is_at_most_a_warning() -> None:
    assert severity_of(Cause.DEGRADED, Severity.CRITICAL) is Severity.WARNING
    assert severity_of(Cause.DEGRADED, Severity.INFO) is Severity.INFO
    assert severity_of(Cause.DOWN, Severity.CRITICAL) is Severity.CRITICAL
