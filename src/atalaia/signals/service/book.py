"""Signals as they are made, changed and dropped; the units of work of the hub and of the command alike."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from atalaia.access.audit import record
from atalaia.core.errors import Conflict, Forbidden, InvalidField, NotFound
from atalaia.core.ids import new_token
from atalaia.core.permissions import Permission, Principal
from atalaia.core.redaction import shown_address
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.signals.model.cron import next_after, zone_of
from atalaia.signals.model.locks import Lock
from atalaia.signals.model.signals import (
    COMMAND,
    JOB,
    WEBHOOK,
    Options,
    SignalChange,
    SignalIn,
    SignalRow,
    WebhookOptions,
    check_name,
    read_options,
    write_options,
)
from atalaia.signals.queries import definitions as queries
from atalaia.signals.queries import locks
from atalaia.signals.service.counting import TOPIC
from atalaia.signals.service.webhook_task import purpose_of
from atalaia.store.encryption import Sealer

CheckTask = Callable[[str, Options], None]
_OPTION_OF = {"job": JOB, "webhook": WEBHOOK, "command": COMMAND}


class Actor(NamedTuple):
    principal: Principal
    address: str | None = None


class Put(NamedTuple):
    """`secret`: of its webhook, where it was made just now."""

    row: SignalRow
    is_new: bool
    secret: str | None


class SignalAndLock(NamedTuple):
    row: SignalRow
    lock: Lock


class Book:
    """`check(task, options)` raises InvalidField where there is no such task, or it can't work with these."""

    def __init__(self, *, sealer: Sealer, check: CheckTask) -> None:
        self._sealer = sealer
        self._check = check

    def put(self, tx: Tx, wanted: SignalIn, actor: Actor, *, now: datetime, may_exist: bool = False) -> Put:
        """Make it; where it is there already, change it to this (`may_exist`).

        Raises:
            InvalidField, Forbidden.
            Conflict: it is there already.
        """
        former = queries.find(tx, check_name(wanted.name), is_locked=True)
        if former is not None and not may_exist:
            raise Conflict(N_("another signal has this name"), code="name_taken")
        return self._put(tx, wanted, former, actor, now=now)

    def change(self, tx: Tx, name: str, change: SignalChange, actor: Actor, *, now: datetime) -> Put:
        """Raises NotFound, InvalidField, Forbidden."""
        former = found(tx, name, is_locked=True)
        wanted = _as_wanted(former)
        said = {key: value for key, value in msgspec.structs.asdict(change).items() if value is not UNSET}
        return self._put(tx, msgspec.structs.replace(wanted, **said), former, actor, now=now)

    def drop(self, tx: Tx, name: str, actor: Actor, *, now: datetime) -> None:
        """What is kept of it goes in small steps, by the leader. Raises NotFound."""
        former = found(tx, name, is_locked=True)
        queries.drop(tx, name)
        record(
            tx, actor.principal, "signal.dropped", _object(name), before=shown(former), address=actor.address, now=now
        )
        tx.publish(TOPIC, name)

    def _put(self, tx: Tx, wanted: SignalIn, former: SignalRow | None, actor: Actor, *, now: datetime) -> Put:
        options = options_of(wanted)
        self._check(wanted.task, options)
        if wanted.task == JOB and not actor.principal.may(Permission.JOBS_CREATE):
            raise Forbidden(N_("this needs the permission {permission}"), permission=Permission.JOBS_CREATE.value)
        sealed, made = self._secret(wanted, former)
        row = SignalRow(
            name=wanted.name,
            task=wanted.task,
            options=write_options(options),
            secret=sealed,
            min_interval_ms=round(wanted.min_interval_s * 1000),
            expect_every_s=wanted.expect_every_s,
            cron=wanted.cron,
            timezone=wanted.timezone,
            runs_missed=wanted.runs_missed,
            is_paused=wanted.is_paused,
            next_at=_next_at(wanted, former, now),
            last_slot_at=former.last_slot_at if former else None,
            created_at=former.created_at if former else now,
            updated_at=now,
            resumed_at=_resumed_at(wanted, former, now),
        )
        if former is None or _is_changed(former, row):
            queries.put(tx, row)
            _record(tx, row, former, actor, now)
        return Put(row, former is None, made)

    def _secret(self, wanted: SignalIn, former: SignalRow | None) -> tuple[bytes | None, str | None]:
        """Sealed, and as it is where it was made here."""
        if wanted.task != WEBHOOK or wanted.webhook is None:
            return None, None
        given = wanted.webhook.secret
        if given is None and former is not None and former.secret is not None:
            return former.secret, None
        secret = given or new_token()
        return self._sealer.seal(secret, purpose=purpose_of(wanted.name)), None if given else secret


def found(tx: Tx, name: str, *, is_locked: bool = False) -> SignalRow:
    """Raises NotFound."""
    row = queries.find(tx, name, is_locked=is_locked) if name.isprintable() else None
    if row is None:
        raise NotFound(N_("there is no such signal"))
    return row


def one_signal(tx: Tx, name: str) -> SignalAndLock:
    """Raises NotFound."""
    row = found(tx, name)
    return SignalAndLock(row, locks.look(tx, [row.name])[row.name].lock)


def all_signals(tx: Tx) -> list[SignalAndLock]:
    """By name."""
    return [one_signal(tx, row.name) for row in queries.all_of_them(tx)]


def options_of(wanted: SignalIn) -> Options:
    """What its own task needs; what other tasks would is left out."""
    return Options(
        job=wanted.job if wanted.task == JOB else None,
        url=wanted.webhook.url if wanted.task == WEBHOOK and wanted.webhook else None,
        command=wanted.command if wanted.task == COMMAND else None,
    )


def check_named(tasks: Iterable[str], options: Options, task: str) -> None:
    """For the command, which knows the integrations by name alone. Raises: InvalidField."""
    integration, dot, _ = task.partition(".")
    if not dot and task not in _OPTION_OF.values():
        raise InvalidField("task", N_("a task is <integration>.<task>, or job, webhook or command"))
    if dot and integration not in tasks:
        raise InvalidField(
            "task", N_("there is no such integration: {names} are there"), names=", ".join(sorted(tasks))
        )
    if task == JOB and options.job is None:
        raise InvalidField("job", N_("the task job needs the job that it makes"))


def shown(row: SignalRow) -> dict[str, Any]:
    """For the audit log: no secret, not even in an address, and a payload as what it is."""
    hidden = {"secret", "created_at", "updated_at", "resumed_at", "next_at", "last_slot_at"}
    plain = {name: value for name, value in row._asdict().items() if name not in hidden}
    options = msgspec.json.decode(row.options)
    if options.get("url"):
        options["url"] = shown_address(options["url"])
    return plain | {"options": options}


def _as_wanted(row: SignalRow) -> SignalIn:
    options = read_options(row.options)
    return SignalIn(
        name=row.name,
        task=row.task,
        min_interval_s=row.min_interval_ms / 1000,
        expect_every_s=row.expect_every_s,
        cron=row.cron,
        timezone=row.timezone,
        runs_missed=row.runs_missed,
        is_paused=row.is_paused,
        job=options.job,
        webhook=WebhookOptions(url=options.url) if options.url else None,
        command=options.command,
    )


def _next_at(wanted: SignalIn, former: SignalRow | None, now: datetime) -> datetime | None:
    """A schedule that stays the same keeps its slot, so that one that is due is not passed over by a change of something else."""
    zone_of(wanted.timezone)
    if wanted.cron is None:
        return None
    fresh = next_after(wanted.cron, wanted.timezone, now)
    is_same = (
        former is not None
        and (former.cron, former.timezone, former.is_paused) == (wanted.cron, wanted.timezone, wanted.is_paused)
        and former.next_at is not None
    )
    return former.next_at if former is not None and is_same else fresh


def _resumed_at(wanted: SignalIn, former: SignalRow | None, now: datetime) -> datetime:
    if former is None or former.is_paused or former.expect_every_s != wanted.expect_every_s:
        return now
    return former.resumed_at


def _is_changed(former: SignalRow, row: SignalRow) -> bool:
    return former._replace(updated_at=row.updated_at, resumed_at=row.resumed_at) != row


def _record(tx: Tx, row: SignalRow, former: SignalRow | None, actor: Actor, now: datetime) -> None:
    action = "signal.created" if former is None else "signal.changed"
    before = shown(former) if former is not None else None
    record(
        tx, actor.principal, action, _object(row.name), before=before, after=shown(row), address=actor.address, now=now
    )
    tx.publish(TOPIC, row.name)


def _object(name: str) -> str:
    return f"signal:{name}"
