"""Passwords changed and links that set them."""

import pytest

from atalaia.access.model import AuditFilter
from atalaia.access.service.account import Preferences
from atalaia.core.errors import Gone, InvalidField, TooManyRequests
from atalaia.core.permissions import SYSTEM, Principal
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.access_hub import EMAIL, HOME, PASSWORD, WRONG, Hub, enrol, fail, make_hub, run


@pytest.fixture
def hub(make_store: MakeStore, clock: FakeClock) -> Hub:
    return make_hub(make_store("access"), clock)


def test_a_new_password_ends_all_other_sessions(hub: Hub) -> None:
    hub.add()

    async def change() -> tuple[object, object]:
        mine, other = await hub.enter(), await hub.enter()
        me = await hub.who(mine)
        assert me is not None
        with pytest.raises(InvalidField) as refused:
            await hub.account.change_password(me, current=WRONG, new="another good one", address=None)
        assert refused.value.field == "current_password"
        with pytest.raises(InvalidField) as refused:
            await hub.account.change_password(me, current=PASSWORD, new="short", address=None)
        assert refused.value.field == "new_password"
        await hub.account.change_password(me, current=PASSWORD, new="another good one", address=None)
        return await hub.who(mine), await hub.who(other)

    mine, other = run(change)
    assert mine is not None
    assert other is None


def test_an_outdated_hash_is_made_anew_at_sign_in(hub: Hub) -> None:
    hub.add()
    weak = hub.hasher.hash(PASSWORD).replace("m=64", "m=64")
    hub.hasher._argon2 = type(hub.hasher._argon2)(time_cost=2, memory_cost=64, parallelism=1)
    run(hub.enter)
    kept = hub.store.read_now(lambda tx: tx.raw("SELECT password_hash FROM people"))[0][0]
    assert weak.startswith("$argon2id$v=19$m=64,t=1,")
    assert kept.startswith("$argon2id$v=19$m=64,t=2,")


def test_a_link_sets_a_password_once_and_ends_sessions(hub: Hub) -> None:
    person = hub.add()

    async def reset() -> None:
        before = await hub.enter()
        link = await hub.people.make_password_link(SYSTEM, person.id)
        token = link.path.partition("token=")[2]
        assert (await hub.links.holder(token)).id == person.id
        with pytest.raises(InvalidField):
            await hub.links.choose_password(token, "short", visitor=HOME)
        entered = await hub.links.choose_password(token, "a brand new one", visitor=HOME)
        assert entered is not None
        assert await hub.who(entered) is not None
        assert await hub.who(before) is None
        with pytest.raises(Gone):
            await hub.links.choose_password(token, "yet another one", visitor=HOME)

    run(reset)


def test_a_newer_link_ends_the_older_one_and_a_day_ends_both(hub: Hub) -> None:
    person = hub.add()

    async def links() -> None:
        first = await hub.people.make_password_link(SYSTEM, person.id)
        second = await hub.people.make_password_link(SYSTEM, person.id)
        with pytest.raises(Gone):
            await hub.links.holder(first.path.partition("token=")[2])
        hub.clock.advance(86401)
        with pytest.raises(Gone):
            await hub.links.holder(second.path.partition("token=")[2])

    run(links)


def test_a_link_does_not_get_around_the_second_factor(hub: Hub) -> None:
    person = hub.add()

    async def reset() -> None:
        await enrol(hub)
        link = await hub.people.make_password_link(SYSTEM, person.id)
        token = link.path.partition("token=")[2]
        assert await hub.links.choose_password(token, "a brand new one", visitor=HOME) is None

    run(reset)


def test_asking_for_a_link_tells_whoever_sends_mail_and_nobody_else(hub: Hub) -> None:
    person = hub.add()

    async def ask() -> None:
        await hub.links.ask_link("nobody@example.com", visitor=HOME)
        await hub.links.ask_link(EMAIL, visitor=HOME)

    run(ask)
    assert [event.person_id for event in hub.told] == [person.id]
    assert hub.told[0].link.reveal().startswith("https://hub.example/choose-password?token=")
    assert "token" not in repr(hub.told[0])


def test_asking_for_links_is_limited(hub: Hub) -> None:
    hub.add()

    async def ask() -> None:
        for _ in range(3):
            await hub.links.ask_link(EMAIL, visitor=HOME)
        with pytest.raises(TooManyRequests):
            await hub.links.ask_link(EMAIL, visitor=HOME)

    run(ask)
    assert len(hub.told) == 3


def test_failures_and_successes_are_in_the_audit_log_without_a_secret(hub: Hub) -> None:
    hub.add()

    async def both() -> list[str]:
        await fail(hub, 1)
        await fail(hub, 1, email="nobody@example.com")
        await hub.enter()
        entries, _ = await hub.audit.page(AuditFilter(action="sign_in"), cursor=None, limit=50)
        assert PASSWORD not in str(entries)
        assert WRONG not in str(entries)
        assert {entry.address for entry in entries} == {HOME.address}
        return sorted(entry.action for entry in entries)

    assert run(both) == ["sign_in.failed", "sign_in.failed", "sign_in.succeeded"]


def test_preferences_are_kept_per_person_and_wrong_ones_are_named(hub: Hub) -> None:
    hub.add()

    async def choose() -> Principal | None:
        entered = await hub.enter()
        me = await hub.who(entered)
        assert me is not None
        chosen = Preferences(name="Ana", locale="pt-BR", theme="dark", timezone="America/Sao_Paulo")
        await hub.account.set_preferences(me, chosen, address=None)
        for field, value in (("locale", "xx"), ("theme", "pink"), ("timezone", "Mars/Olympus")):
            wrong = Preferences(name="Ana", **{field: value})
            with pytest.raises(InvalidField) as refused:
                await hub.account.set_preferences(me, wrong, address=None)
            assert refused.value.field == field
        return await hub.who(entered)

    who = run(choose)
    assert who is not None
    assert (who.name, who.locale, who.theme, who.timezone) == ("Ana", "pt-BR", "dark", "America/Sao_Paulo")
