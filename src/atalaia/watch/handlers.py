"""What the news of the slices below mean for checks and incidents. All run in the transaction of the news."""

from atalaia.agents.events import AgentBack, AgentRetired, AgentSilent, RecordsReceived
from atalaia.core.clock import Clock, to_ms
from atalaia.core.translations import N_
from atalaia.metrics.events import ForwardingResumed, ForwardingStalled
from atalaia.notify.events import ChannelRecovered, ChannelTroubled, MessageSettled
from atalaia.notify.model.severity import Severity
from atalaia.sdk.faults import FaultEnded, FaultReported
from atalaia.sdk.transaction import Tx
from atalaia.signals.events import (
    SignalAnswered,
    SignalRefused,
    SignalRefusedNoMore,
    SignalRunsFailing,
    SignalRunsWell,
    SignalUnanswered,
)
from atalaia.upstreams.events import UpstreamBack, UpstreamFailing
from atalaia.watch.model.incidents import Cause
from atalaia.watch.model.titles import (
    CHANNEL_TITLE,
    FORWARDING_TITLE,
    LOGIN_TITLE,
    REFUSED_TITLE,
    RUNS_TITLE,
    UNANSWERED_TITLE,
    UPSTREAM_TITLE,
)
from atalaia.watch.service.fleet import FleetWatch
from atalaia.watch.service.incidents import Fault, Incidents
from atalaia.watch.service.results import Results

# Kept in English, and recognised again for readers (core.retelling).
_ANSWERED = N_("{answered} of {expected} were answered in the last minutes")
_IN_A_ROW = N_("{failures} runs in a row failed: {why}")
_REFUSED = N_("Its key was refused {times} times (401)")


class Handlers:
    def __init__(self, results: Results, fleet_watch: FleetWatch, incidents: Incidents, *, clock: Clock) -> None:
        self._results = results
        self._fleet_watch = fleet_watch
        self._incidents = incidents
        self._clock = clock

    # -- agents

    def take_records(self, tx: Tx, event: RecordsReceived) -> None:
        self._results.take(tx, event)

    def silent(self, tx: Tx, event: AgentSilent) -> None:
        self._fleet_watch.silent(tx, event.agent_id, name=event.agent_name, at_ms=to_ms(event.at))

    def back(self, tx: Tx, event: AgentBack) -> None:
        self._fleet_watch.back(tx, event.agent_id, at_ms=to_ms(event.at))

    def retired(self, tx: Tx, event: AgentRetired) -> None:
        self._fleet_watch.retired(tx, event.agent_id, at_ms=to_ms(event.at))

    # -- messages

    def message_settled(self, tx: Tx, event: MessageSettled) -> None:
        data = {"channel": event.channel_name, "event": event.message_event, "status": event.status}
        self._incidents.note(tx, event.incident_id, f"message_{event.outcome}", at=event.at, data=data)

    def channel_troubled(self, tx: Tx, event: ChannelTroubled) -> None:
        fault = Fault(
            subject=f"hub:channel:{event.channel_id}",
            name=CHANNEL_TITLE.format(name=event.channel_name),
            reason=event.reason,
            labels={"channel": event.channel_name},
            except_channels=frozenset({event.channel_id}),
        )
        self._incidents.open_fault(tx, fault, at=event.at)

    def channel_recovered(self, tx: Tx, event: ChannelRecovered) -> None:
        self._incidents.end_fault(tx, f"hub:channel:{event.channel_id}", at=event.at)

    # -- samples

    def forwarding_stalled(self, tx: Tx, event: ForwardingStalled) -> None:
        fault = Fault(
            subject=f"hub:forwarding:{event.target}",
            name=FORWARDING_TITLE.format(name=event.target),
            cause=Cause.FAULT,
            reason=event.reason,
            labels={"target": event.target},
        )
        self._incidents.open_fault(tx, fault, at=self._clock.now())

    def forwarding_resumed(self, tx: Tx, event: ForwardingResumed) -> None:
        self._incidents.end_fault(tx, f"hub:forwarding:{event.target}", at=self._clock.now())

    # -- third parties

    def upstream_failing(self, tx: Tx, event: UpstreamFailing) -> None:
        title = LOGIN_TITLE if event.trouble == "login" else UPSTREAM_TITLE
        fault = Fault(
            subject=_upstream_subject(event),
            name=title.format(name=event.shown_name),
            reason=event.reason,
            labels={"upstream": event.upstream, "account": event.account},
            runbook=event.runbook,
        )
        self._incidents.open_fault(tx, fault, at=event.at)

    def upstream_back(self, tx: Tx, event: UpstreamBack) -> None:
        self._incidents.end_fault(tx, _upstream_subject(event), at=event.at)

    # -- signals

    def signal_unanswered(self, tx: Tx, event: SignalUnanswered) -> None:
        reason = _ANSWERED.format(answered=event.answered, expected=event.expected)
        self._open_of_signal(tx, event.signal, "rate", UNANSWERED_TITLE.format(name=event.signal), reason)

    def signal_answered(self, tx: Tx, event: SignalAnswered) -> None:
        self._end_of_signal(tx, event.signal, "rate")

    def signal_runs_failing(self, tx: Tx, event: SignalRunsFailing) -> None:
        reason = _IN_A_ROW.format(failures=event.failures, why=event.reason)
        self._open_of_signal(tx, event.signal, "runs", RUNS_TITLE.format(name=event.signal), reason)

    def signal_runs_well(self, tx: Tx, event: SignalRunsWell) -> None:
        self._end_of_signal(tx, event.signal, "runs")

    def signal_refused(self, tx: Tx, event: SignalRefused) -> None:
        title = REFUSED_TITLE.format(name=f"{event.signal}, {event.place}")
        self._open_of_signal(tx, event.signal, f"refused:{event.place}", title, _REFUSED.format(times=event.times))

    def signal_refused_no_more(self, tx: Tx, event: SignalRefusedNoMore) -> None:
        self._end_of_signal(tx, event.signal, f"refused:{event.place}")

    def _open_of_signal(self, tx: Tx, signal: str, what: str, title: str, reason: str) -> None:
        fault = Fault(
            subject=f"hub:signal:{signal}:{what}", name=title, reason=reason or None, labels={"signal": signal}
        )
        self._incidents.open_fault(tx, fault, at=self._clock.now())

    def _end_of_signal(self, tx: Tx, signal: str, what: str) -> None:
        self._incidents.end_fault(tx, f"hub:signal:{signal}:{what}", at=self._clock.now())

    # -- integrations

    def fault_reported(self, tx: Tx, event: FaultReported) -> None:
        told = event.fault
        fault = Fault(
            subject=event.subject,
            name=f"{told.title}: {told.name}",
            severity=Severity(told.severity),
            reason=told.reason or None,
            labels=dict(told.labels),
            runbook=told.runbook,
        )
        self._incidents.open_fault(tx, fault, at=self._clock.now())

    def fault_ended(self, tx: Tx, event: FaultEnded) -> None:
        self._incidents.end_fault(tx, event.subject, at=self._clock.now())


def _upstream_subject(event: UpstreamFailing | UpstreamBack) -> str:
    return f"hub:upstream:{event.upstream}:{event.account}:{event.trouble}"
