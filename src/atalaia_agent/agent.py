"""The agent put together: plan in, measurements made, records out."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path
from threading import Thread

from atalaia_agent import __version__
from atalaia_agent.bell import Bell
from atalaia_agent.clock import ClockOffset
from atalaia_agent.hub import HubConnection
from atalaia_agent.line import Line
from atalaia_agent.measuring import measure
from atalaia_agent.plan import PlanPoll, load_plan, save_plan
from atalaia_agent.pool import Pool
from atalaia_agent.probes import GIVING_WAY, Context, Identity
from atalaia_agent.records import make_records
from atalaia_agent.schedule import Entry, Schedule
from atalaia_agent.sender import Sender
from atalaia_agent.settings import Settings
from atalaia_agent.signaller import Signaller
from atalaia_agent.spool import Spool
from atalaia_agent.turns import Turn, Turns
from atalaia_agent.urgency import Urgency
from atalaia_agent.voice import Voice
from atalaia_agent.wire import Json, Probe, new_uuid, now_ms

LOCAL_PING = "local-ping"

# Threads that wait cost little; fewer would hold up all checks while one network is dead.
_MAX_MEASURING = 32
_REMEMBERED_TRIES = 1_000
_LAST_WORDS_S = 2.0
_USAGE_EVERY_S = 30.0
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class _Seat:
    __slots__ = ("context", "urgency")

    def __init__(self, context: Context) -> None:
        self.context = context
        self.urgency = Urgency()


class Agent:
    def __init__(self, settings: Settings, spool: Spool, voice: Voice) -> None:
        self._settings = settings
        self._spool = spool
        self._voice = voice
        self._clock = ClockOffset()
        self._line = Line(settings.references)
        self._pool = Pool("measure", max_threads=_MAX_MEASURING)
        self._schedule = Schedule(self._make_seat)
        self._identity = self._make_identity()
        self._signaller = Signaller(settings.signal, voice) if settings.signal else None
        self._tries: dict[str, None] = {}
        self._ended = Bell()
        self._has_connected = False
        self._usage_due = 0.0
        self._used: Json = {}
        agent = describe(settings.name)
        hub, key, ca = settings.hub, settings.key, settings.ca_file
        self._sender = Sender(
            HubConnection(hub, key, ca=ca),
            spool,
            agent=agent,
            status=self.status,
            clock=self._clock,
            voice=voice,
        )
        self._turns = Turns(
            self._schedule,
            self._sender,
            measure=self._run,
            send=self._send,
            spawn=lambda work: self._pool.submit(work, first=True),
        )
        self._plan = PlanPoll(
            HubConnection(hub, key, ca=ca), agent=agent, apply=self._apply, reached=self._reached, voice=voice
        )

    def run(self) -> None:
        """Until `stop`; then what is measured is on disk, and sent if the hub takes it within 2 s."""
        if self._signaller is not None:
            self._signaller.begin()
        self._schedule.replace([*load_plan(self._plan_path), *self._local_work()])
        self._turns.begin()
        Thread(target=self._plan.run, name="plan", daemon=True).start()
        while not self._ended.wait():
            pass
        self._turns.stop()
        self._plan.stop()
        if self._signaller is not None:
            self._signaller.end()
        self._sender.close(timeout_s=_LAST_WORDS_S, may_send=self._has_connected)

    def stop(self) -> None:
        """May be called from a signal's handler."""
        self._ended.ring()

    def status(self) -> Json:
        return {
            **self._spool.stats(),
            "clock_offset_ms": self._clock.offset_ms,
            "line": self._line.state,
            **self._usage(),
            "probes_running": self._schedule.running,
            "late_total": self._schedule.late_total,
        }

    def _usage(self) -> Json:
        """Not news, so not asked for with each report."""
        now = time.monotonic()
        if now >= self._usage_due:
            self._usage_due = now + _USAGE_EVERY_S
            self._used = {"rss_bytes": resident_bytes(), "cpu_s": round(time.process_time(), 3)}
        return self._used

    @property
    def _plan_path(self) -> Path:
        return self._settings.spool / "plan.json"

    def _make_identity(self) -> Identity:
        settings = self._settings
        identity = Identity(hub_origin=settings.hub.origin, key=settings.key, source=settings.source)
        identity.on_clock = self._clock.observe
        return identity

    def _make_seat(self) -> _Seat:
        return _Seat(Context(reach=self._settings.reach, identity=self._identity))

    def _local_work(self) -> list[Probe]:
        """What no plan asks for."""
        return [*self._local_probes(), *(self._signaller.chores if self._signaller else [])]

    def _local_probes(self) -> list[Probe]:
        settings = self._settings
        if not settings.ping_url:
            return []
        secrets = {"key": settings.ping_key} if settings.ping_key else {}
        options = {"target": settings.ping_target} if settings.ping_target else {}
        if settings.ca_file:
            options["ca"] = settings.ca_file
        interval_s = settings.ping_interval_s
        return [Probe(LOCAL_PING, "ping", settings.ping_url, interval_s, 10.0, options, secrets, {})]

    def _apply(self, probes: list[Probe], tries: list[Probe], settings: Json) -> None:
        self._sender.report_every(max(0.2, float(settings.get("report_interval_s", 5.0))))
        self._schedule.replace([*probes, *self._local_work()])
        self._turns.nudge()
        for attempt in tries:
            self._try_once(attempt)
        try:
            save_plan(self._plan_path, probes)
        except OSError as failure:
            self._voice.trouble("plan-file", f"the plan can't be kept for a restart: {failure.strerror}")

    def _try_once(self, attempt: Probe) -> None:
        if attempt.try_id is None or attempt.try_id in self._tries:
            return
        self._tries[attempt.try_id] = None
        if len(self._tries) > _REMEMBERED_TRIES:
            del self._tries[next(iter(self._tries))]
        entry = self._schedule.take_once(attempt)
        self._pool.submit(lambda: self._run_in(None, entry), first=True)

    def _reached(self, plan: Json, status: int) -> None:
        if self._sender.retry_now():
            self._turns.nudge()
        if not self._has_connected and status == 200:  # noqa: PLR2004
            self._has_connected = True
            name = plan.get("name") or self._settings.name
            self._voice.say(f"connected to {self._settings.hub.origin} as {name}, {len(plan['probes'])} probes")

    def _run(self, entry: Entry, turn: Turn) -> None:
        if entry.probe.kind in GIVING_WAY or self._is_signal(entry):
            self._run_in(turn, entry)
        else:
            self._pool.submit(lambda: self._run_in(None, entry))

    def _run_in(self, turn: Turn | None, entry: Entry) -> None:
        try:
            self._measure(entry, turn)
        except Exception as failure:  # noqa: BLE001 - the boundary of a run: the next one must come
            self._voice.trouble("internal", f"internal error: {type(failure).__name__}: {failure}")
        finally:
            self._schedule.finished(entry)

    def _is_signal(self, entry: Entry) -> bool:
        return self._signaller is not None and self._signaller.owns(entry)

    def _measure(self, entry: Entry, turn: Turn | None) -> None:
        if self._signaller is not None and self._signaller.owns(entry):
            self._signaller.run(entry, turn)
            return
        seat = entry.seat
        if not isinstance(seat, _Seat):
            raise TypeError("a seat")
        at_ms = now_ms()
        seat.context.turn = turn
        found = measure(entry.probe, seat.context)
        if entry.is_gone and entry.probe.try_id is None:
            return
        line = self._line.state if found.is_ok else self._line.check(turn)
        for record in make_records(entry.probe, found, at_ms=at_ms, line=line, local_id=LOCAL_PING):
            self._spool.append(record)
        if seat.urgency.is_urgent(found) or entry.probe.try_id is not None:
            self._sender.hurry()
            if turn is None or not turn.is_held:
                self._turns.nudge()

    def _send(self, turn: Turn) -> None:
        try:
            self._sender.send_due(turn)
        except Exception as failure:  # noqa: BLE001 - the boundary of a report: the next one must come
            self._voice.trouble("internal", f"internal error: {type(failure).__name__}: {failure}")
        if not turn.is_held:
            self._turns.nudge()


def describe(name: str) -> Json:
    return {
        "name": name,
        "hostname": socket.gethostname(),
        "version": __version__,
        "python": sys.version.split()[0],
        "platform": f"{os.uname().sysname} {os.uname().release} {os.uname().machine}",
        "pid": os.getpid(),
        "incarnation": new_uuid(),
        "started_at": now_ms(),
    }


def resident_bytes() -> int:
    # Not through an open file: that would be three times the work, with each report.
    try:
        fd = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return int(os.read(fd, 100).split()[1]) * _PAGE_BYTES
    finally:
        os.close(fd)
