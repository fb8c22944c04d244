"""Notices to residents: who wants one gets it once, outside quiet hours, by WhatsApp; what became of it is kept.

All of it happens in the transaction that keeps what the notice is about; the message leaves after its commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from msgspec.structs import replace

from atalaia.core.errors import InvalidField, NotFound
from atalaia.core.ids import new_id
from atalaia.core.permissions import Principal
from atalaia.core.translations import N_, Locale
from atalaia.integrations.cvepro.model.notice_values import example, locale_of
from atalaia.integrations.cvepro.model.notices import (
    BUILT_IN,
    FRESH_FOR,
    NEWS_FOR,
    OPT_OUT,
    OPT_OUT_BY_ANSWER,
    SUBJECTS,
    Fate,
    Notice,
    NoticeKind,
    QuietHours,
    quiet_hours,
    read_template,
    render,
)
from atalaia.integrations.cvepro.model.residents import Resident
from atalaia.integrations.cvepro.queries import notices as queries
from atalaia.integrations.cvepro.queries import residents
from atalaia.integrations.cvepro.service.billing import zone_of
from atalaia.sdk.contribution import Loop
from atalaia.sdk.integration import Host
from atalaia.sdk.messages import MessageDone, MessageFate
from atalaia.sdk.transaction import Tx

WAY: Final = "whatsapp"  # the kind of channel, which the integration evolution gives
TOPIC: Final = "cvepro_notices"
RESIDENTS_TOPIC: Final = "cvepro_residents"
KEPT: Final = timedelta(days=90)  # as the record of deliveries
_PRUNE_S: Final = 3600.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Plan:
    fate: Fate
    reason: str = ""
    not_before: datetime | None = None
    expires_at: datetime | None = None


def wants(resident: Resident, kind: NoticeKind) -> bool:
    """Opt-in, and a number to tell it to."""
    return (
        resident.is_active
        and resident.opted_in_at is not None
        and resident.phone is not None
        and kind in resident.notices
    )


class Notices:
    def __init__(self, host: Host) -> None:
        self._host = host

    def loop(self) -> Loop:
        return Loop("cvepro_notices", _PRUNE_S, self.prune)

    @property
    def link(self) -> str:
        """Where a resident switches them off."""
        return f"{self._host.public_url}/cvepro/mine"

    def quiet(self) -> QuietHours | None:
        """Raises: InvalidField: a setting can't be read."""
        begin, end = str(self._host.setting("quiet_from")), str(self._host.setting("quiet_until"))
        return quiet_hours(begin, end, zone_of(self._host))

    def tell(
        self,
        tx: Tx,
        kind: NoticeKind,
        subject: str,
        resident: Resident,
        *,
        happened_at: datetime,
        now: datetime,
        values: Mapping[str, str],
    ) -> Fate | None:
        """None: nobody is told, since it is not wanted, no news any more, or was told before."""
        if not wants(resident, kind) or now - happened_at > NEWS_FOR:
            return None
        plan = self._plan(tx, kind, resident, happened_at=happened_at, now=now)
        locale = locale_of(resident)
        text = render(_words(tx, kind, locale), values)
        since = resident.opted_in_at
        if since is not None and not queries.has_been_told(tx, resident.id, since=since):
            how = OPT_OUT_BY_ANSWER if self._takes_answers(tx) else OPT_OUT
            text = f"{text}\n\n{render(how[locale], values)}"
        notice = Notice(
            subject=subject,
            kind=kind,
            resident_id=resident.id,
            fate=plan.fate,
            reason=plan.reason,
            text=text,
            phone=resident.phone or "",
            created_at=now,
        )
        return self._send(tx, notice, plan, locale)

    def test(self, tx: Tx, kind: NoticeKind, locale: Locale, phone: str, *, now: datetime) -> Fate:
        """The words on example data, to a number of who asks."""
        text = render(_words(tx, kind, locale), self.example(locale))
        notice = Notice(
            subject=f"test:{new_id()}",
            kind=kind,
            resident_id="",
            fate=Fate.QUEUED,
            text=text,
            phone=phone,
            created_at=now,
        )
        way = self.has_way(tx)
        plan = Plan(Fate.QUEUED, expires_at=now + timedelta(minutes=10)) if way else Plan(Fate.NO_WAY)
        return self._send(tx, replace(notice, fate=plan.fate), plan, locale) or plan.fate

    def example(self, locale: Locale) -> Mapping[str, str]:
        return example(locale, zone=zone_of(self._host), link=self.link)

    def _plan(self, tx: Tx, kind: NoticeKind, resident: Resident, *, happened_at: datetime, now: datetime) -> Plan:
        if resident.is_refused:
            return Plan(Fate.NOT_THERE)
        if not self.has_way(tx):
            return Plan(Fate.NO_WAY)
        fresh_for = FRESH_FOR.get(kind)
        expires_at = happened_at + fresh_for if fresh_for else None
        if expires_at is not None and now >= expires_at:
            return Plan(Fate.EXPIRED)
        try:
            quiet = self.quiet()
        except InvalidField:  # the page says so
            quiet = None
        quiet_until = quiet.end_after(now) if quiet else None
        if quiet_until is not None and expires_at is not None and quiet_until >= expires_at:
            return Plan(Fate.QUIET)
        return Plan(Fate.QUEUED, not_before=quiet_until, expires_at=expires_at)

    def has_way(self, tx: Tx) -> bool:
        """Whether WhatsApp is set up."""
        return any(each.name == WAY and each.is_ready for each in self._host.message_kinds(tx))

    def _takes_answers(self, tx: Tx) -> bool:
        return any(each.name == WAY and each.takes_answers for each in self._host.message_kinds(tx))

    def _send(self, tx: Tx, notice: Notice, plan: Plan, locale: Locale) -> Fate | None:
        """None: it was told before."""
        if not queries.claim(tx, notice):
            return None
        tx.publish(TOPIC)
        if plan.fate is not Fate.QUEUED:
            return plan.fate
        try:
            message_id = self._host.message(
                tx,
                kind=WAY,
                to=notice.phone,
                subject=SUBJECTS[locale][notice.kind],
                text=notice.text,
                not_before=plan.not_before,
                expires_at=plan.expires_at,
            )
        except InvalidField as error:  # no reading fails for a number that can't be one
            queries.change(tx, notice, fate=Fate.FAILED, reason=str(error))
            return Fate.FAILED
        queries.change(tx, notice, message_id=message_id)
        return plan.fate

    def on_message(self, tx: Tx, done: MessageDone) -> None:
        """What became of one that was sent."""
        notice = queries.of_message(tx, done.id)
        if notice is None:
            return
        queries.settle(tx, done.id, Fate(done.fate), done.status, at=done.at)
        tx.publish(TOPIC)
        if done.fate is MessageFate.REFUSED:
            queries.mark_refused(tx, notice.resident_id, notice.phone)
            tx.publish(RESIDENTS_TOPIC)

    async def prune(self) -> None:
        before = self._host.clock.now() - KEPT
        await self._host.write(lambda tx: queries.prune(tx, before=before))

    # -- words

    def words(self, tx: Tx, locale: Locale) -> dict[NoticeKind, tuple[str, bool]]:
        """In force, and whether they are somebody's own."""
        own = queries.own_words(tx)
        texts = {kind: own.get((str(kind), locale)) for kind in NoticeKind}
        return {kind: (text or BUILT_IN[locale][kind], text is not None) for kind, text in texts.items()}

    def preview(self, kind: NoticeKind, locale: Locale, text: str) -> str:
        """On example data. Raises: InvalidField: text."""
        return render(read_template(text, kind), self.example(locale))

    async def keep_words(
        self, kind: NoticeKind, locale: Locale, text: str, *, by: Principal, client: str | None
    ) -> None:
        """Raises: InvalidField: text."""
        plain = read_template(text, kind)
        now = self._host.clock.now()

        def unit(tx: Tx) -> None:
            if plain == BUILT_IN[locale][kind]:
                queries.drop_words(tx, kind, locale)
            else:
                queries.keep_words(tx, kind, locale, plain, by=by.name, now=now)
            self._audit(tx, "words_changed", f"{kind}:{locale}", by=by, client=client, text=plain)

        await self._host.write(unit)

    async def reset_words(self, kind: NoticeKind, locale: Locale, *, by: Principal, client: str | None) -> None:
        def unit(tx: Tx) -> None:
            queries.drop_words(tx, kind, locale)
            self._audit(tx, "words_reset", f"{kind}:{locale}", by=by, client=client)

        await self._host.write(unit)

    def _audit(self, tx: Tx, what: str, target: str, *, by: Principal, client: str | None, **details: Any) -> None:
        self._host.audit(
            tx, by=by, action=f"cvepro.notice_{what}", target=f"cvepro_notice:{target}", client=client, **details
        )


def opt_in(
    host: Host, tx: Tx, resident_id: str, kinds: Sequence[str], *, by: Principal, client: str | None = None
) -> None:
    """To these kinds, and no others. Raises: NotFound; InvalidField: notices (none, or one that there is not), phone."""
    chosen = _chosen(kinds)
    resident = residents.find(tx, resident_id)
    if resident is None:
        raise NotFound(N_("There is no such resident."))
    if resident.phone is None:
        raise InvalidField("phone", N_("There is no phone number to send notices to."))
    now = host.clock.now()
    queries.set_opt_in(tx, resident_id, chosen, at=resident.opted_in_at or now, now=now)
    names = [str(each) for each in chosen]
    _audit_choice(host, tx, "opted_in", resident_id, by=by, client=client, notices=names)


def opt_out(host: Host, tx: Tx, resident_id: str, *, by: Principal, client: str | None = None, **details: str) -> None:
    """Raises: NotFound."""
    if not queries.set_opt_in(tx, resident_id, (), at=None, now=host.clock.now()):
        raise NotFound(N_("There is no such resident."))
    withdraw(host, tx, resident_id)
    _audit_choice(host, tx, "opted_out", resident_id, by=by, client=client, **details)


def withdraw(host: Host, tx: Tx, resident_id: str) -> None:
    """What waits for this person is not sent: the consent is gone, or was for another number."""
    now = host.clock.now()
    for message_id in queries.waiting_messages(tx, resident_id):
        if host.withdraw_message(tx, message_id):
            queries.settle(tx, message_id, Fate.WITHDRAWN, "", at=now)
            tx.publish(TOPIC)


def _audit_choice(
    host: Host, tx: Tx, what: str, resident_id: str, *, by: Principal, client: str | None, **details: Any
) -> None:
    target = f"cvepro_resident:{resident_id}"
    host.audit(tx, by=by, action=f"cvepro.resident_{what}", target=target, client=client, **details)
    tx.publish(RESIDENTS_TOPIC)


def _chosen(kinds: Sequence[str]) -> list[NoticeKind]:
    """Raises: InvalidField."""
    unknown = [each for each in kinds if each not in set(NoticeKind)]
    if unknown or not kinds:
        raise InvalidField("notices", N_("Choose at least one of: {allowed}."), allowed=", ".join(NoticeKind))
    return [each for each in NoticeKind if each in kinds]


def _words(tx: Tx, kind: NoticeKind, locale: Locale) -> str:
    return queries.words_of(tx, kind, locale) or BUILT_IN[locale][kind]
