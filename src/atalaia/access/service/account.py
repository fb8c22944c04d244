"""One's own account: name, language, look, time zone, password, second factor, sessions."""

from functools import cache
from zoneinfo import available_timezones

import msgspec

from atalaia.access.attempts import Counter
from atalaia.access.audit import record
from atalaia.access.model import Person, Session, TokenKind
from atalaia.access.passwords import PasswordHasher, check_rules
from atalaia.access.queries import people as queries
from atalaia.access.queries import ways_in
from atalaia.access.service.people import get_person
from atalaia.access.service.second_factor import (
    Enrolment,
    begin_enrolment,
    confirm_enrolment,
    new_recovery_codes,
    pending_enrolment,
    remove_own,
)
from atalaia.access.service.sign_in import count_try, subject
from atalaia.core.clock import Clock
from atalaia.core.errors import InvalidField, NotFound
from atalaia.core.permissions import Principal
from atalaia.core.translations import LOCALES, N_
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from atalaia.web.rendering import THEMES

MAX_NAME = 100


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """None: as the browser says (language), as the hub is set (time zone), as the system is (theme)."""

    name: str
    locale: str | None = None
    theme: str | None = None
    timezone: str | None = None


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    person: Person
    sessions: list[Session]
    recovery_codes_left: int


class AccountService:
    def __init__(self, store: Store, *, hasher: PasswordHasher, sealer: Sealer, clock: Clock) -> None:
        self._store = store
        self._hasher = hasher
        self._sealer = sealer
        self._clock = clock

    async def view(self, person_id: str) -> AccountView:
        return await self._store.read(
            lambda tx: AccountView(
                person=get_person(tx, person_id),
                sessions=ways_in.sessions_of(tx, person_id),
                recovery_codes_left=queries.count_recovery_codes(tx, person_id),
            )
        )

    async def set_preferences(self, actor: Principal, preferences: Preferences, *, address: str | None) -> None:
        """Raises InvalidField."""
        values = _checked(preferences)
        now = self._clock.now()

        def unit(tx: Tx) -> None:
            person = get_person(tx, actor.id)
            changed = {name: value for name, value in values.items() if value != getattr(person, name)}
            if changed:
                queries.change(tx, actor.id, changed)
                before = {name: getattr(person, name) for name in changed}
                what = f"person:{actor.id}"
                record(tx, actor, "person.changed", what, before=before, after=changed, address=address, now=now)

        await self._store.write(unit)

    async def set_theme(self, actor: Principal, theme: str) -> None:
        """The choice of a button on each page; how a person sees things is no matter of the audit log. Raises InvalidField."""
        if theme not in THEMES:
            raise InvalidField("theme", N_("there is no such theme"))
        kept = None if theme == "auto" else theme
        await self._store.write(lambda tx: queries.change(tx, actor.id, {"theme": kept}))

    async def change_password(self, actor: Principal, *, current: str, new: str, address: str | None) -> None:
        """Set a new password; all other sessions end.

        Raises:
            InvalidField: `current` is wrong, or `new` breaks a rule.
            TooManyRequests: too many wrong tries.
        """
        person = await self._prove(actor.id, current, field="current_password")
        check_rules(new, email=person.email, field="new_password")
        password_hash = await self._hasher.hash_in_thread(new)
        now = self._clock.now()

        def unit(tx: Tx) -> None:
            queries.change(tx, actor.id, {"password_hash": password_hash})
            ways_in.end_sessions(tx, actor.id, except_id=actor.session_id)
            for kind in (TokenKind.RESET, TokenKind.SECOND_FACTOR):
                ways_in.drop_tokens(tx, kind=kind, person_id=actor.id)
            record(tx, actor, "person.password_changed", f"person:{actor.id}", address=address, now=now)

        await self._store.write(unit)

    async def begin_second_factor(self, actor: Principal) -> Enrolment:
        return await self._store.write(lambda tx: begin_enrolment(tx, actor.id, sealer=self._sealer))

    async def pending_second_factor(self, actor: Principal) -> Enrolment | None:
        return await self._store.read(lambda tx: pending_enrolment(tx, actor.id, sealer=self._sealer))

    async def confirm_second_factor(self, actor: Principal, code: str, *, address: str | None) -> list[str]:
        """The recovery codes. Raises InvalidField, Conflict."""
        now = self._clock.now()
        return await self._store.write(
            lambda tx: confirm_enrolment(tx, actor.id, code, sealer=self._sealer, now=now, address=address)
        )

    async def remove_second_factor(self, actor: Principal, *, password: str, address: str | None) -> None:
        """Raises InvalidField: the password is wrong; TooManyRequests."""
        await self._prove(actor.id, password, field="password")
        now = self._clock.now()
        await self._store.write(lambda tx: remove_own(tx, actor, now=now, address=address))

    async def replace_recovery_codes(self, actor: Principal, *, password: str, address: str | None) -> list[str]:
        """New ones; the old ones stop working. Raises as `remove_second_factor`."""
        await self._prove(actor.id, password, field="password")
        now = self._clock.now()

        def unit(tx: Tx) -> list[str]:
            record(tx, actor, "person.recovery_codes_replaced", f"person:{actor.id}", address=address, now=now)
            return new_recovery_codes(tx, actor.id)

        return await self._store.write(unit)

    async def end_session(self, actor: Principal, session_id: str, *, address: str | None) -> None:
        """Raises NotFound: no such session of this person."""
        now = self._clock.now()

        def unit(tx: Tx) -> None:
            if not ways_in.end_session(tx, session_id, person_id=actor.id):
                raise NotFound(N_("there is no such session"))
            record(tx, actor, "session.ended", f"session:{session_id}", address=address, now=now)

        await self._store.write(unit)

    async def end_other_sessions(self, actor: Principal, *, address: str | None) -> None:
        now = self._clock.now()

        def unit(tx: Tx) -> None:
            ended = ways_in.end_sessions(tx, actor.id, except_id=actor.session_id)
            after = {"ended": ended}
            what = f"person:{actor.id}"
            record(tx, actor, "session.others_ended", what, after=after, address=address, now=now)

        await self._store.write(unit)

    async def _prove(self, person_id: str, password: str, *, field: str) -> Person:
        """A stolen session must not be enough to take the account over."""
        counted = subject(Counter.CODE, "password", person_id)
        now = self._clock.now()
        await self._store.write(lambda tx: count_try(tx, (counted,), now=now))
        person, secrets = await self._store.read(
            lambda tx: (get_person(tx, person_id), queries.secrets_of(tx, person_id))
        )
        if not await self._hasher.verify_in_thread(secrets.password_hash if secrets else None, password):
            raise InvalidField(field, N_("this is not your present password"))
        await self._store.write(lambda tx: ways_in.clear_tally(tx, *counted))
        return person


@cache
def timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _checked(preferences: Preferences) -> dict[str, str | None]:
    name = preferences.name.strip()
    if len(name) > MAX_NAME or not name.isprintable():
        raise InvalidField("name", N_("a name has at most {maximum} printable characters"), maximum=MAX_NAME)
    if preferences.locale is not None and preferences.locale not in LOCALES:
        raise InvalidField("locale", N_("this language is not there"))
    if preferences.theme is not None and preferences.theme not in THEMES:
        raise InvalidField("theme", N_("there is no such theme"))
    if preferences.timezone is not None and preferences.timezone not in timezones():
        raise InvalidField("timezone", N_("there is no such time zone"))
    return {
        "name": name,
        "locale": preferences.locale,
        "theme": preferences.theme,
        "timezone": preferences.timezone,
    }
