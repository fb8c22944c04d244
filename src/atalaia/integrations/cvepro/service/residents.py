"""Who lives here, with which tags: entered, changed, linked to an account, taken out.

A tag has one holder at a time. One that moves on ends with its former holder and keeps what was charged with it until then.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from atalaia.core.errors import InvalidField, NotFound
from atalaia.core.ids import new_id
from atalaia.core.permissions import Permission, Principal, Role
from atalaia.core.translations import LOCALES, N_
from atalaia.integrations.cvepro.model.residents import (
    Resident,
    Tag,
    read_email,
    read_flat,
    read_label,
    read_name,
    read_phone,
    read_tag,
    read_tags,
)
from atalaia.integrations.cvepro.model.rosters import fold
from atalaia.integrations.cvepro.queries import register
from atalaia.integrations.cvepro.queries import residents as queries
from atalaia.integrations.cvepro.queries.register import ResidentFilter
from atalaia.integrations.cvepro.service.notices import withdraw
from atalaia.sdk.integration import Account, Host
from atalaia.sdk.transaction import Tx

TOPIC: Final = "cvepro_residents"
BOARD_TOPIC: Final = "cvepro"  # who charges is shown by name there
_LOCALE: Final = "pt-BR"


class Entry(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """As it is typed. `tags`: all that are held, others are handed back; `move`: also those that others have now."""

    name: str
    flat: str
    phone: str = ""
    email: str = ""
    locale: str = _LOCALE
    account: str = ""
    is_active: bool = True
    tags: list[str] = []
    move: bool = False


class By(msgspec.Struct, frozen=True):
    """Who does it, for the audit log."""

    principal: Principal
    client: str | None = None


class Known(msgspec.Struct, frozen=True):
    """A resident with all tags, those that are held first."""

    resident: Resident
    tags: Sequence[Tag] = ()

    @property
    def held(self) -> list[Tag]:
        return [each for each in self.tags if each.is_held]


class Residents:
    def __init__(self, host: Host) -> None:
        self._host = host

    async def page(self, wanted: ResidentFilter, *, limit: int, after: str | None = None) -> list[Known]:
        """One more than `limit` where there is a next page."""

        def unit(tx: Tx) -> list[Known]:
            return _known(tx, register.page(tx, wanted, limit=limit, after=after))

        return await self._host.read(unit)

    async def one(self, id: str) -> Known:
        """Raises: NotFound."""
        return await self._host.read(lambda tx: known(tx, id))

    async def accounts(self) -> Sequence[Account]:
        """Those that a resident may have."""
        return await self._host.read(lambda tx: self._host.accounts(tx, role=Role.CLIENT))

    async def add(self, entry: Entry, *, by: By) -> Known:
        """Raises: InvalidField: names the field."""

        def unit(tx: Tx) -> Known:
            register.lock(tx)
            return known(tx, self._enter(tx, entry, by=by))

        return await self._host.write(unit)

    async def change(self, id: str, entry: Callable[[Known], Entry], *, by: By) -> Known:
        """Raises: NotFound, InvalidField."""

        def unit(tx: Tx) -> Known:
            register.lock(tx)
            found = known(tx, id)
            self._put(tx, found, entry(found), by=by)
            return known(tx, id)

        return await self._host.write(unit)

    async def set_active(self, id: str, *, is_active: bool, by: By) -> None:
        """Raises: NotFound."""

        def unit(tx: Tx) -> None:
            found = known(tx, id).resident
            if found.is_active is not is_active:
                changed = replace(found, is_active=is_active, changed_at=self._host.clock.now())
                register.keep(tx, found, changed)
                if not is_active:
                    withdraw(self._host, tx, id)
                self._audit(tx, f"resident_{'activated' if is_active else 'deactivated'}", id, by)

        await self._host.write(unit)

    async def link(self, id: str, account: str, *, by: By) -> None:
        """An empty account takes the link away. Raises: NotFound, InvalidField."""

        def unit(tx: Tx) -> None:
            register.lock(tx)
            found = known(tx, id).resident
            linked = replace(found, person_id=self._account(tx, account, id, by), changed_at=self._host.clock.now())
            register.keep(tx, found, linked)
            self._audit(tx, "resident_linked", id, by, account=linked.person_id)

        await self._host.write(unit)

    async def remove(self, id: str, *, by: By) -> None:
        """Sessions stay, as the vendor tells of them. Raises: NotFound."""

        def unit(tx: Tx) -> None:
            found = known(tx, id)
            register.drop(tx, id)
            withdraw(self._host, tx, id)
            self._audit(tx, "resident_deleted", id, by, name=found.resident.name, flat=found.resident.flat)

        await self._host.write(unit)

    async def give_tag(self, id: str, text: str, *, by: By, label: str = "", move: bool = False) -> None:
        """Raises: NotFound, InvalidField: also where another has it now, unless it is to `move`."""

        def unit(tx: Tx) -> None:
            register.lock(tx)
            found = known(tx, id)
            tag = read_tag(text)
            if tag not in {each.tag for each in found.held}:
                self._give(tx, found.resident, tag, by=by, move=move, field="tag", label=read_label(label))

        await self._host.write(unit)

    async def end_tag(self, id: str, tag_id: str, *, by: By, was_never: bool = False) -> None:
        """Handed back now; `was_never`: entered by mistake, sessions with it are not this resident's. Raises: NotFound."""

        def unit(tx: Tx) -> None:
            register.lock(tx)
            tag = register.find_tag(tx, tag_id) if tag_id.isprintable() else None
            if tag is None or tag.resident_id != id:
                raise NotFound(N_("There is no such tag."))
            if was_never:
                register.drop_tag(tx, tag_id)
            elif tag.is_held:
                register.end_tag(tx, tag_id, at=self._host.clock.now())
            self._audit(tx, "tag_removed" if was_never else "tag_ended", id, by, tag=tag.tag)

        await self._host.write(unit)

    async def link_proposed(self, *, by: By) -> int:
        """Each resident without an account with the one of the same e-mail, where that is nobody's; how many."""

        def unit(tx: Tx) -> int:
            register.lock(tx)
            found = proposed(tx, self._host.accounts(tx, role=Role.CLIENT))
            for resident, account in found:
                linked = replace(resident, person_id=account.id, changed_at=self._host.clock.now())
                register.keep(tx, resident, linked)
                self._audit(tx, "resident_linked", resident.id, by, account=account.id)
            return len(found)

        return await self._host.write(unit)

    async def proposed(self) -> Sequence[tuple[Resident, Account]]:
        """Accounts that are nobody's, with the resident who has the same e-mail."""
        return await self._host.read(lambda tx: proposed(tx, self._host.accounts(tx, role=Role.CLIENT)))

    def _enter(self, tx: Tx, entry: Entry, *, by: By) -> str:
        """Raises: InvalidField."""
        now, id_ = self._host.clock.now(), new_id()
        new = Resident(**self._values(tx, entry, id_, by), id=id_, created_at=now, changed_at=now)
        register.add(tx, new)
        for tag in read_tags(entry.tags):
            self._give(tx, new, tag, by=by, move=entry.move)
        self._audit(tx, "resident_entered", id_, by, name=new.name, flat=new.flat)
        return id_

    def _put(self, tx: Tx, found: Known, entry: Entry, *, by: By) -> None:
        """Raises: InvalidField."""
        former, now = found.resident, self._host.clock.now()
        values = self._values(tx, entry, former.id, by)
        changed = {name: value for name, value in values.items() if value != getattr(former, name)}
        if changed:
            # Consent was given for that number.
            consent = {"opted_in_at": None} if "phone" in changed and former.phone is not None else {}
            flat = {"flat_since_at": now} if fold(values["flat"]) != fold(former.flat) else {}
            register.keep(tx, former, replace(former, **changed, **consent, **flat, changed_at=now))
            if consent or not entry.is_active:
                withdraw(self._host, tx, former.id)
        wanted, held = read_tags(entry.tags), {each.tag: each for each in found.held}
        for tag in (each for each in wanted if each not in held):
            self._give(tx, former, tag, by=by, move=entry.move)
        for gone in (span for tag, span in held.items() if tag not in wanted):
            register.end_tag(tx, gone.id, at=now)
            self._audit(tx, "tag_ended", former.id, by, tag=gone.tag)
        if changed:
            self._audit(tx, "resident_changed", former.id, by, fields=sorted(changed))

    def _values(self, tx: Tx, entry: Entry, id: str, by: By) -> dict[str, Any]:
        """Raises: InvalidField."""
        if entry.locale not in LOCALES:
            raise InvalidField("locale", N_("must be one of {names}"), names=", ".join(LOCALES))
        return {
            "name": read_name(entry.name),
            "flat": read_flat(entry.flat),
            "phone": read_phone(entry.phone),
            "email": read_email(entry.email),
            "locale": entry.locale,
            "person_id": self._account(tx, entry.account, id, by),
            "is_active": entry.is_active,
        }

    def _account(self, tx: Tx, account: str, id: str, by: By) -> str | None:
        """Raises: InvalidField."""
        if not account:
            return None
        former = queries.of_person(tx, account) if account.isprintable() else None
        if former is not None and former.id != id:
            raise InvalidField("account", N_("This account is {name}'s."), name=_named(former, by))
        if former is None and account not in {each.id for each in self._host.accounts(tx, role=Role.CLIENT)}:
            raise InvalidField("account", N_("There is no such account, or it is not a resident's."))
        return account

    def _give(
        self, tx: Tx, to: Resident, tag: str, *, by: By, move: bool, field: str = "tags", label: str | None = None
    ) -> None:
        """Raises: InvalidField: another has it now."""
        now = self._host.clock.now()
        former = register.spans(tx, tag)
        for span in (each for each in former if each.is_held):
            if not move:
                raise _is_held(tx, span, by, field)
            register.end_tag(tx, span.id, at=now)
            self._audit(tx, "tag_moved", span.resident_id, by, tag=tag, to=to.id)
        # Nobody's before: what was charged with it is this resident's too.
        since: datetime | None = now if former else None
        register.add_tags(tx, [Tag(id=new_id(), tag=tag, resident_id=to.id, label=label, since_at=since)])
        self._audit(tx, "tag_given", to.id, by, tag=tag)

    def _audit(self, tx: Tx, what: str, id: str, by: By, **details: Any) -> None:
        target = f"cvepro_resident:{id}"
        self._host.audit(tx, by=by.principal, action=f"cvepro.{what}", target=target, client=by.client, **details)
        for topic in (TOPIC, BOARD_TOPIC):
            tx.publish(topic)


def proposed(tx: Tx, accounts: Sequence[Account]) -> list[tuple[Resident, Account]]:
    """Neither where two residents have that e-mail."""
    everybody = register.everybody(tx)
    taken = {each.person_id for each in everybody}
    free = {each.email.lower(): each for each in accounts if each.id not in taken}
    mails = Counter(each.email for each in everybody if each.email)
    alone = (each for each in everybody if each.person_id is None and each.email and mails[each.email] == 1)
    return [(each, free[each.email]) for each in alone if each.email in free]


def known(tx: Tx, id: str) -> Known:
    """Raises: NotFound."""
    found = queries.find(tx, id) if id.isprintable() else None
    if found is None:
        raise NotFound(N_("There is no such resident."))
    return _known(tx, [found])[0]


def _known(tx: Tx, found: Sequence[Resident]) -> list[Known]:
    own: dict[str, list[Tag]] = {}
    for tag in queries.tags_of(tx, [each.id for each in found]):
        own.setdefault(tag.resident_id, []).append(tag)
    return [Known(each, own.get(each.id, [])) for each in found]


def _is_held(tx: Tx, span: Tag, by: By, field: str) -> InvalidField:
    holder = queries.find(tx, span.resident_id)
    if holder is None or not by.principal.may(Permission.OVERVIEW_READ):
        return InvalidField(field, N_("{tag} is somebody else's now."), tag=span.tag)
    hint = N_("It can move on: what was charged with it until now stays with whom it was.")
    return InvalidField(
        field, N_("{tag} is {name}'s now ({flat})."), hint=hint, tag=span.tag, name=holder.name, flat=holder.flat
    )


def _named(resident: Resident, by: By) -> str:
    return resident.name if by.principal.may(Permission.OVERVIEW_READ) else "?"
