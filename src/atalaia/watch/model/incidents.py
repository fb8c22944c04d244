"""Incidents: when one opens, what may be done with it, how it ends. Pure; docs/states.md shows the same tables."""

from enum import StrEnum
from typing import NamedTuple

from atalaia.core.errors import Conflict
from atalaia.notify.model.severity import Severity
from atalaia.watch.model.standing import Transition
from atalaia.watch.model.states import SETTLED, CheckState


class IncidentState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Cause(StrEnum):
    DOWN = "down"
    DEGRADED = "degraded"
    SILENT = "silent"  # an agent is
    FAULT = "fault"  # of the hub itself


class Action(StrEnum):
    ACKNOWLEDGE = "acknowledge"
    COMMENT = "comment"
    CLOSE = "close"
    RECOVER = "recover"


class IncidentRule(NamedTuple):
    state: IncidentState
    action: Action
    then: IncidentState


_S, _A = IncidentState, Action

# What isn't here is refused.
INCIDENT_RULES: tuple[IncidentRule, ...] = (
    IncidentRule(_S.OPEN, _A.ACKNOWLEDGE, _S.ACKNOWLEDGED),
    IncidentRule(_S.OPEN, _A.COMMENT, _S.OPEN),
    IncidentRule(_S.OPEN, _A.CLOSE, _S.RESOLVED),
    IncidentRule(_S.OPEN, _A.RECOVER, _S.RESOLVED),
    IncidentRule(_S.ACKNOWLEDGED, _A.COMMENT, _S.ACKNOWLEDGED),
    IncidentRule(_S.ACKNOWLEDGED, _A.CLOSE, _S.RESOLVED),
    IncidentRule(_S.ACKNOWLEDGED, _A.RECOVER, _S.RESOLVED),
    IncidentRule(_S.RESOLVED, _A.COMMENT, _S.RESOLVED),
)
_NEXT = {(rule.state, rule.action): rule.then for rule in INCIDENT_RULES}


def after_action(state: IncidentState, action: Action) -> IncidentState:
    """The state that an action leads to.

    Raises:
        Conflict: the incident's state doesn't allow it.
    """
    then = _NEXT.get((state, action))
    if then is None:
        raise Conflict(f"This incident is {state}: {action} is not possible any more.", code="incident_state")
    return then


class Step(StrEnum):
    """What a change of a check's state does to its incident; each is on the timeline."""

    OPEN_DOWN = "open as down"
    OPEN_DEGRADED = "open as degraded"
    RECOVER = "recover and tell"
    SUPERSEDE = "recover untold"
    CLOSE = "close and tell"


class StepRule(NamedTuple):
    cause: Cause | None  # of the incident that is open
    after: CheckState
    steps: tuple[Step, ...]


# Unknown and maintenance change nothing: what was wrong may still be.
STEP_RULES: tuple[StepRule, ...] = (
    StepRule(None, CheckState.DOWN, (Step.OPEN_DOWN,)),
    StepRule(None, CheckState.DEGRADED, (Step.OPEN_DEGRADED,)),
    StepRule(Cause.DEGRADED, CheckState.DOWN, (Step.SUPERSEDE, Step.OPEN_DOWN)),
    StepRule(Cause.DOWN, CheckState.DEGRADED, (Step.RECOVER, Step.OPEN_DEGRADED)),
    StepRule(Cause.DOWN, CheckState.UP, (Step.RECOVER,)),
    StepRule(Cause.DEGRADED, CheckState.UP, (Step.RECOVER,)),
    StepRule(Cause.DOWN, CheckState.PAUSED, (Step.CLOSE,)),
    StepRule(Cause.DEGRADED, CheckState.PAUSED, (Step.CLOSE,)),
)
_STEPS = {(rule.cause, rule.after): rule.steps for rule in STEP_RULES}


def steps_for(cause: Cause | None, change: Transition) -> tuple[Step, ...]:
    """What to do with the check's incident, given the cause of the open one.

    Coming back from unknown to what the check already was opens nothing: if somebody closed that incident by hand, it
    stays closed until the check has recovered and fails again.
    """
    if cause is None and change.after in SETTLED and change.was_settled is change.after:
        return ()
    return _STEPS.get((cause, change.after), ())


def severity_of(cause: Cause, check_severity: Severity) -> Severity:
    """Degraded is at most a warning."""
    return (
        min(check_severity, Severity.WARNING, key=lambda one: one.rank) if cause is Cause.DEGRADED else check_severity
    )
