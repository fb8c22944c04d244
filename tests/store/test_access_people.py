"""People and the first start; the audit log that nobody can change."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from atalaia.access.audit import record
from atalaia.access.model import AuditEntry, AuditFilter
from atalaia.access.service.entering import NeedsCode
from atalaia.access.service.links import open_first_start
from atalaia.access.service.people import PersonChange, create_person
from atalaia.core.errors import Conflict, Gone, InvalidField
from atalaia.core.permissions import SYSTEM, Role
from atalaia.sdk.transaction import Tx
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.access_hub import EMAIL, HOME, PASSWORD, Hub, make_hub, run


@pytest.fixture
def hub(make_store: MakeStore, clock: FakeClock) -> Hub:
    return make_hub(make_store("access"), clock)


def first_start_token(hub: Hub) -> str:
    path = hub.store.write_now(lambda tx: open_first_start(tx, now=hub.clock.now()))
    assert path is not None
    assert path.startswith("/first-start?token=")
    return path.partition("token=")[2]


def test_the_first_start_makes_one_admin_and_then_is_over(hub: Hub) -> None:
    async def start() -> None:
        token, side_by_side = first_start_token(hub), first_start_token(hub)
        entered = await hub.links.make_first_admin(token, email=EMAIL, name="Ana", password=PASSWORD, visitor=HOME)
        who = await hub.who(entered)
        assert who is not None
        assert who.role is Role.ADMIN
        for used in (token, side_by_side, "made-up"):
            with pytest.raises(Gone):
                await hub.links.make_first_admin(
                    used, email="eve@example.com", name="", password=PASSWORD, visitor=HOME
                )

    run(start)
    assert hub.store.write_now(lambda tx: open_first_start(tx, now=hub.clock.now())) is None


def test_a_weak_password_does_not_use_up_the_first_start(hub: Hub) -> None:
    async def start() -> None:
        token = first_start_token(hub)
        with pytest.raises(InvalidField):
            await hub.links.make_first_admin(token, email=EMAIL, name="", password="short", visitor=HOME)
        await hub.links.check_first_start(token)

    run(start)


def test_an_address_belongs_to_one_person(hub: Hub) -> None:
    hub.add()
    with pytest.raises(Conflict):
        hub.add(" ANA@example.com")


@pytest.mark.parametrize("email", ["", "ana", "@example.com", "ana@", "a na@example.com", "a@b@c", "x" * 250 + "@b.co"])
def test_what_is_no_address_is_refused(hub: Hub, email: str) -> None:
    with pytest.raises(InvalidField) as refused:
        hub.add(email)
    assert refused.value.field == "email"


def test_an_invited_person_chooses_a_password_and_is_in(hub: Hub) -> None:
    async def invite() -> None:
        person, link = await hub.people.invite(SYSTEM, email=EMAIL, name="Ana", role=Role.MANAGER)
        assert not person.has_password
        assert link is not None
        entered = await hub.links.choose_password(link.path.partition("token=")[2], PASSWORD, visitor=HOME)
        assert entered is not None
        assert (await hub.enter()).person.role is Role.MANAGER

    run(invite)


def test_a_machine_gets_no_link(hub: Hub) -> None:
    _, link = run(lambda: hub.people.invite(SYSTEM, email=EMAIL, name="", role=Role.MACHINE))
    assert link is None


def test_somebody_always_administers_the_hub(hub: Hub) -> None:
    ana = hub.add(role=Role.ADMIN)

    async def try_it() -> None:
        for change in (PersonChange(role=Role.AGENT), PersonChange(is_disabled=True)):
            with pytest.raises(Conflict):
                await hub.people.change(SYSTEM, ana.id, change=change)
        hub.add("bia@example.com", Role.ADMIN)
        assert (await hub.people.change(SYSTEM, ana.id, change=PersonChange(role=Role.AGENT))).role is Role.AGENT

    run(try_it)


def test_two_admins_cannot_remove_each_other_at_the_same_moment(hub: Hub) -> None:
    both = [hub.add(f"{name}@example.com", Role.ADMIN) for name in ("ana", "bia")]

    async def duel() -> list[object]:
        gone = PersonChange(is_disabled=True)
        moves = (hub.people.change(SYSTEM, person.id, change=gone) for person in both)
        return await asyncio.gather(*moves, return_exceptions=True)

    assert sum(isinstance(answer, Conflict) for answer in run(duel)) == 1


def test_somebody_shut_out_is_out_at_once_and_may_be_let_in_again(hub: Hub) -> None:
    person = hub.add()

    async def shut_out() -> None:
        entered = await hub.enter()
        await hub.people.change(SYSTEM, person.id, change=PersonChange(is_disabled=True))
        assert await hub.who(entered) is None
        await hub.people.change(SYSTEM, person.id, change=PersonChange(is_disabled=False))
        assert await hub.who(entered) is None
        hub.clock.advance(3600)
        assert not isinstance(await hub.enter(), NeedsCode)

    run(shut_out)


def test_people_are_listed_by_address_in_pages_and_found_by_part_of_name_or_address(hub: Hub) -> None:
    for name in ("caio", "ana", "bia"):
        hub.store.write_now(
            lambda tx, name=name: create_person(  # type: ignore[misc]
                tx, SYSTEM, email=f"{name}@example.com", name=name.title(), role=Role.AGENT, now=hub.clock.now()
            )
        )

    async def listed() -> tuple[list[str], list[str]]:
        first, cursor = await hub.people.page(cursor=None, limit=2)
        second, end = await hub.people.page(cursor=cursor, limit=2)
        assert end is None
        found, _ = await hub.people.page(cursor=None, limit=2, text="IA")
        return [person.name for person in first + second], [person.name for person in found]

    assert run(listed) == (["Ana", "Bia", "Caio"], ["Bia"])


def test_an_entry_says_who_did_what_from_where_before_and_after_without_secrets(hub: Hub) -> None:
    def act(tx: Tx) -> None:
        record(
            tx,
            SYSTEM,
            "channel.changed",
            "channel:1",
            before={"url": "https://u:p@example.com/", "secret": "old"},
            after={"secret": "new", "name": "ops"},
            address="192.0.2.1",
            now=hub.clock.now(),
        )

    hub.store.write_now(act)
    entry = run(lambda: hub.audit.page(AuditFilter(), cursor=None, limit=10))[0][0]
    assert (entry.actor_name, entry.action, entry.object, entry.address) == (
        "Atalaia",
        "channel.changed",
        "channel:1",
        "192.0.2.1",
    )
    assert entry.before == {"url": "https://***@example.com/", "secret": "***"}
    assert entry.after == {"secret": "***", "name": "ops"}
    assert entry.at == hub.clock.now()


@pytest.mark.parametrize("statement", ["UPDATE audit SET action = 'x'", "DELETE FROM audit"])
def test_the_log_refuses_to_be_changed(hub: Hub, statement: str) -> None:
    hub.store.write_now(lambda tx: record(tx, SYSTEM, "check.created", "check:1", now=datetime.now(UTC)))
    with pytest.raises((DBAPIError, Exception), match="append-only"):
        hub.store.write_now(lambda tx: tx.raw(statement))


def test_an_entry_is_lost_together_with_the_change_that_failed(hub: Hub) -> None:
    def fail(tx: Tx) -> None:
        record(tx, SYSTEM, "check.created", "check:1")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        hub.store.write_now(fail)
    assert run(lambda: hub.audit.page(AuditFilter(), cursor=None, limit=10))[0] == []


def _fill(hub: Hub) -> None:
    def act(tx: Tx) -> None:
        for number in range(7):
            at = hub.clock.now() + timedelta(hours=number)
            record(tx, SYSTEM, f"check.{'created' if number % 2 else 'changed'}", f"check:{number}", now=at)

    hub.store.write_now(act)


def test_the_log_is_filtered_and_paged(hub: Hub) -> None:
    _fill(hub)

    async def look() -> None:
        seen: list[AuditEntry] = []
        cursor = None
        while True:
            page, cursor = await hub.audit.page(AuditFilter(), cursor=cursor, limit=3)
            seen += page
            if cursor is None:
                break
        assert len({entry.id for entry in seen}) == 7
        for filter_, count in (
            (AuditFilter(action="check.created"), 3),
            (AuditFilter(action="check"), 7),
            (AuditFilter(object="check:3"), 1),
            (AuditFilter(actor="atal"), 7),
            (AuditFilter(actor="nobody"), 0),
            (AuditFilter(from_at=hub.clock.now() + timedelta(hours=5)), 2),
            (AuditFilter(to_at=hub.clock.now() + timedelta(hours=5)), 5),
            (AuditFilter(action="100%_"), 0),
        ):
            assert len((await hub.audit.page(filter_, cursor=None, limit=50))[0]) == count

    run(look)


def test_the_whole_log_can_be_exported(hub: Hub) -> None:
    _fill(hub)

    async def export() -> int:
        return sum([len(batch) async for batch in hub.audit.export(AuditFilter())])

    assert run(export) == 7
