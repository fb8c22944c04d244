"""Getting in: the right people do, guessing gets nowhere, nobody is kept out for ever."""

import asyncio

import pytest

from atalaia.access.service.entering import Entered, NeedsCode, Visitor
from atalaia.access.service.people import PersonChange
from atalaia.core.errors import InvalidField, NotFound, TooManyRequests, Unauthenticated
from atalaia.core.permissions import SYSTEM, Permission, Principal, Role
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.access_hub import EMAIL, HOME, PASSWORD, WRONG, Hub, enrol, fail, make_hub, run


@pytest.fixture
def hub(make_store: MakeStore, clock: FakeClock) -> Hub:
    return make_hub(make_store("access"), clock)


def test_the_right_password_opens_a_session_of_that_person(hub: Hub) -> None:
    person = hub.add()
    who = run(lambda: _entered_as(hub))
    assert who is not None
    assert (who.id, who.kind, who.role) == (person.id, "person", Role.AGENT)
    assert who.may(Permission.CHECKS_WRITE)


async def _entered_as(hub: Hub, email: str = EMAIL) -> Principal | None:
    return await hub.who(await hub.enter(email))


def test_the_address_may_be_typed_in_capitals(hub: Hub) -> None:
    hub.add()
    assert run(lambda: _entered_as(hub, " ANA@Example.com ")) is not None


def test_unknown_disabled_and_machine_accounts_are_refused_with_the_same_words(hub: Hub) -> None:
    hub.add()
    hub.add("machine@example.com", Role.MACHINE)
    gone = hub.add("gone@example.com")

    async def words() -> set[str]:
        await hub.people.change(SYSTEM, gone.id, change=PersonChange(is_disabled=True))
        found = set()
        for email in ("nobody@example.com", "gone@example.com", "machine@example.com", "no address", EMAIL):
            password = WRONG if email == EMAIL else PASSWORD
            with pytest.raises(Unauthenticated) as refused:
                await hub.sign_in.sign_in(email, password, visitor=HOME)
            found.add(str(refused.value))
            hub.clock.advance(3600)
        return found

    assert len(run(words)) == 1


def test_guessing_from_one_address_is_soon_told_to_wait(hub: Hub) -> None:
    hub.add()

    async def guess() -> float:
        await fail(hub, 4)
        with pytest.raises(TooManyRequests) as refused:
            await hub.sign_in.sign_in(EMAIL, PASSWORD, visitor=HOME)
        return refused.value.retry_after_s

    assert run(guess) == 2


def test_tries_at_the_same_moment_do_not_slip_past_the_count(hub: Hub) -> None:
    hub.add()

    async def burst() -> list[object]:
        tries = (hub.sign_in.sign_in(EMAIL, WRONG, visitor=HOME) for _ in range(20))
        return await asyncio.gather(*tries, return_exceptions=True)

    assert sum(isinstance(answer, Unauthenticated) for answer in run(burst)) == 4


def test_the_wait_ends_and_the_right_password_gets_in(hub: Hub) -> None:
    hub.add()

    async def later() -> Entered:
        await fail(hub, 4)
        hub.clock.advance(2)
        return await hub.enter()

    assert run(later).person.email == EMAIL


def test_strangers_everywhere_cannot_keep_out_a_browser_that_was_in_before(hub: Hub) -> None:
    hub.add()

    async def attacked() -> Entered:
        mine = await hub.enter()
        for number in range(40):
            visitor = Visitor(address=f"198.51.100.{number}")
            try:
                await hub.sign_in.sign_in(EMAIL, WRONG, visitor=visitor)
            except (Unauthenticated, TooManyRequests):
                continue
        with pytest.raises(TooManyRequests):
            await hub.enter(visitor=Visitor(address="203.0.113.1"))
        return await hub.enter(visitor=Visitor(address=HOME.address, device_token=mine.device_token))

    assert run(attacked).person.email == EMAIL


def test_a_whole_ipv6_network_counts_as_one_address(hub: Hub) -> None:
    async def guess() -> None:
        for number in range(20):
            await fail(hub, 1, email=f"p{number}@example.com", visitor=Visitor(address=f"2001:db8:1:2::{number:x}"))
        with pytest.raises(TooManyRequests):
            await hub.sign_in.sign_in("x@example.com", WRONG, visitor=Visitor(address="2001:db8:1:2:ffff::1"))

    run(guess)


def test_each_sign_in_gets_a_new_session_and_only_its_hash_is_kept(hub: Hub) -> None:
    hub.add()

    async def twice() -> tuple[Entered, Entered]:
        return await hub.enter(), await hub.enter()

    first, second = run(twice)
    assert first.session_token != second.session_token
    rows = hub.store.read_now(lambda tx: tx.raw("SELECT sha256 FROM sessions"))
    assert len(rows) == 2
    assert all(first.session_token.encode() not in bytes(row[0]) for row in rows)


def test_a_session_ends_after_twelve_idle_hours_and_after_thirty_days(hub: Hub) -> None:
    hub.add()

    async def wait() -> None:
        entered = await hub.enter()
        for _ in range(59):
            hub.clock.advance(11.9 * 3600)
            assert await hub.who(entered) is not None
        hub.clock.advance(86400)
        assert await hub.who(entered) is None
        idle = await hub.enter()
        hub.clock.advance(12 * 3600)
        assert await hub.who(idle) is None

    run(wait)


def test_signing_out_ends_the_session_and_no_other(hub: Hub) -> None:
    person = hub.add()

    async def leave() -> tuple[object, object]:
        mine, other = await hub.enter(), await hub.enter()
        who = await hub.who(mine)
        assert who is not None
        assert who.session_id is not None
        await hub.sign_in.sign_out(who.session_id, person_id=person.id)
        return await hub.who(mine), await hub.who(other)

    mine, other = run(leave)
    assert mine is None
    assert other is not None


def test_nobody_ends_a_session_of_somebody_else(hub: Hub) -> None:
    hub.add()
    hub.add("bia@example.com")

    async def try_it() -> None:
        ana, bia = await hub.who(await hub.enter()), await hub.who(await hub.enter("bia@example.com"))
        assert ana is not None
        assert bia is not None
        with pytest.raises(NotFound):
            await hub.account.end_session(bia, ana.session_id or "", address=None)

    run(try_it)


def test_a_role_taken_away_is_gone_at_the_next_request(hub: Hub) -> None:
    person = hub.add()

    async def demote() -> Principal | None:
        entered = await hub.enter()
        await hub.people.change(SYSTEM, person.id, change=PersonChange(role=Role.CLIENT))
        return await hub.who(entered)

    who = run(demote)
    assert who is not None
    assert not who.may(Permission.CHECKS_READ)


def test_with_a_second_factor_the_password_alone_opens_nothing(hub: Hub) -> None:
    hub.add()

    async def steps() -> None:
        otp, _, _ = await enrol(hub)
        first = await hub.sign_in.sign_in(EMAIL, PASSWORD, visitor=HOME)
        assert isinstance(first, NeedsCode)
        with pytest.raises(Unauthenticated):
            await hub.sign_in.give_code(first.factor_token, "000000", visitor=HOME)
        code = otp.at(hub.clock.now())
        entered = await hub.sign_in.give_code(first.factor_token, code, visitor=HOME)
        assert await hub.who(entered) is not None
        again = await hub.sign_in.sign_in(EMAIL, PASSWORD, visitor=HOME)
        assert isinstance(again, NeedsCode)
        with pytest.raises(Unauthenticated):  # the same code a second time
            await hub.sign_in.give_code(again.factor_token, code, visitor=HOME)

    run(steps)


def test_a_recovery_code_lets_in_once(hub: Hub) -> None:
    hub.add()

    async def steps() -> None:
        _, codes, _ = await enrol(hub)
        first = await hub.sign_in.sign_in(EMAIL, PASSWORD, visitor=HOME)
        assert isinstance(first, NeedsCode)
        await hub.sign_in.give_code(first.factor_token, codes[3].upper(), visitor=HOME)
        second = await hub.sign_in.sign_in(EMAIL, PASSWORD, visitor=HOME)
        assert isinstance(second, NeedsCode)
        with pytest.raises(Unauthenticated):
            await hub.sign_in.give_code(second.factor_token, codes[3], visitor=HOME)

    run(steps)


def test_codes_cannot_be_guessed_through(hub: Hub) -> None:
    hub.add()

    async def guess() -> None:
        await enrol(hub)
        first = await hub.sign_in.sign_in(EMAIL, PASSWORD, visitor=HOME)
        assert isinstance(first, NeedsCode)
        for number in range(4):
            with pytest.raises(Unauthenticated):
                await hub.sign_in.give_code(first.factor_token, f"00000{number}", visitor=HOME)
        with pytest.raises(TooManyRequests):
            await hub.sign_in.give_code(first.factor_token, "000009", visitor=HOME)

    run(guess)


def test_the_second_step_waits_ten_minutes_at_most(hub: Hub) -> None:
    hub.add()

    async def late() -> str:
        otp, _, _ = await enrol(hub)
        first = await hub.sign_in.sign_in(EMAIL, PASSWORD, visitor=HOME)
        assert isinstance(first, NeedsCode)
        hub.clock.advance(601)
        with pytest.raises(Unauthenticated) as refused:
            await hub.sign_in.give_code(first.factor_token, otp.at(hub.clock.now()), visitor=HOME)
        return refused.value.code

    assert run(late) == "sign_in_again"


def test_the_second_factors_secret_is_sealed_in_the_store(hub: Hub) -> None:
    hub.add()
    otp, codes, _ = run(lambda: enrol(hub))
    kept = hub.store.read_now(lambda tx: tx.raw("SELECT totp_secret FROM people"))[0][0]
    assert otp.secret.encode() not in bytes(kept)
    hashes = hub.store.read_now(lambda tx: tx.raw("SELECT sha256 FROM recovery_codes"))
    assert len(hashes) == len(codes) == 10
    assert all(code.replace("-", "").encode() not in bytes(row[0]) for row in hashes for code in codes)


def test_giving_up_the_second_factor_takes_the_password(hub: Hub) -> None:
    hub.add()

    async def steps() -> None:
        _, _, me = await enrol(hub)
        with pytest.raises(InvalidField):
            await hub.account.remove_second_factor(me, password=WRONG, address=None)
        await hub.account.remove_second_factor(me, password=PASSWORD, address=None)
        assert isinstance(await hub.sign_in.sign_in(EMAIL, PASSWORD, visitor=HOME), Entered)

    run(steps)
