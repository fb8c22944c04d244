"""The simulated fleet platform logs in as the real one was seen to, and opens sockets only to a page's own headers."""

import re

import aiohttp
import pytest

from atalaia_simulators.traffilog import InThread, Options
from tests.unit.simulators.conftest import Run, drive
from tests.unit.simulators.fleet import GUID, ORIGIN, Fleet, Talk, mtkn_of, value_of


def test_a_token_is_42_letters_and_digits(run: Run) -> None:
    assert re.fullmatch(r"[A-Za-z0-9]{42}", run(lambda fleet: fleet.token()))


def test_a_wrong_password_is_refused_in_the_body(run: Run) -> None:
    with pytest.raises(KeyError):
        run(lambda fleet: fleet.login(password="")).__getitem__("session_token")


def test_only_the_given_account_may_log_in() -> None:
    simulator = InThread(Options(login_name="ana", password="certa"))
    simulator.start()
    try:
        assert drive(simulator, lambda fleet: fleet.login())["action_value"] == "401"
        assert drive(simulator, lambda fleet: fleet.login(password="certa"))["action_value"] == "0"
    finally:
        simulator.close()


def test_the_login_fails_in_the_ways_it_was_seen_to(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        await fleet.faults(token_in_data={"value": True, "times": 1})
        assert len((await fleet.login())["data"][0]["session_token"]) == 42
        await fleet.faults(short_token={"value": True, "times": 1})
        assert len(await fleet.token()) < 20
        await fleet.faults(login_refused={"value": True, "times": 1})
        assert (await fleet.login())["action_value"] == "401"
        address = f"{fleet.url}/appengine_3/{GUID}/1/json"
        await fleet.faults(login_status={"value": 503, "times": 1})
        async with fleet.session.post(address, data="{}") as answer:
            assert answer.status == 503
        await fleet.faults(login_empty_body={"value": True, "times": 1})
        async with fleet.session.post(address, data="{}") as answer:
            assert (answer.status, await answer.read()) == (200, b"")
        assert len(await fleet.token()) == 42

    run(act)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": ORIGIN}, 101),
        ({"Origin": "https://example.org"}, 403),
        ({}, 403),
        ({"Origin": ORIGIN, "Cookie": "a=b"}, 403),
    ],
)
def test_a_socket_opens_only_with_the_pages_origin_and_no_cookie(
    run: Run, headers: dict[str, str], status: int
) -> None:
    async def act(fleet: Fleet) -> int:
        return await fleet.handshake_status(await fleet.token(), headers=headers)

    assert run(act) == status


def test_an_unknown_token_and_a_guid_of_another_form_are_refused(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        assert await fleet.handshake_status("x" * 42) == 401
        assert await fleet.handshake_status(await fleet.token(), guid=GUID.lower()) == 404

    run(act)


def test_a_refused_handshake_names_the_session(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        await fleet.faults(session_rejected=True)
        address = f"{fleet.url}/{GUID}/{await fleet.token()}/json?defragment=1"
        async with fleet.session.get(address, headers={"Origin": ORIGIN}) as answer:
            assert (answer.status, "session" in await answer.text()) == (403, True)

    run(act)


def test_expired_tokens_are_refused_on_open_sockets_too_until_the_next_login(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await fleet.faults(token_expired=True)
            answer = await talk.ask("get_vehicle_info", vehicle_id="1", client_id="7")
            assert (value_of(answer), "session" in str(answer)) == ("401", True)
            assert await fleet.handshake_status(talk.token) == 401
        assert await fleet.handshake_status(await fleet.token()) == 101

    run(act)


def test_a_token_dies_at_the_end_of_its_life(run: Run) -> None:
    async def act(fleet: Fleet) -> int:
        await fleet.faults(token_life_s=0)
        return await fleet.handshake_status(await fleet.token())

    assert run(act) == 401


@pytest.mark.parametrize(
    "form", [{}, {"is_beside": True}, {"is_percent": True}, {"is_beside": True, "is_percent": True}]
)
def test_both_forms_are_taken_and_answered_in_kind(run: Run, form: dict[str, bool]) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket(None, **form) as talk:
            for _ in range(4):  # mtkn comes at four places
                mtkn = await talk.send("get_vehicle_info", vehicle_id="1", client_id="7")
                answer = await talk.receive()
                assert (mtkn_of(answer), value_of(answer)) == (mtkn, "0")

    run(act)


@pytest.mark.parametrize(
    "raw",
    [
        "{",
        "[]",
        '{"action":{}}',
        '{"action":{"flow_id":"612345","name":"get_vehicle_info","parameters":{"vehicle_id":1,"client_id":"7","mtkn":"M"},"session_token":"T","mtkn":"M"}}',
        '{"action":{"flow_id":"612345","name":"get_vehicle_info","parameters":{"vehicle_id":"1","client_id":"7","mtkn":"9"},"session_token":"T","mtkn":"M"}}',
        '{"action":{"flow_id":612345,"name":"get_vehicle_info","parameters":{"vehicle_id":"1","client_id":"7","mtkn":"M"},"session_token":"T","mtkn":"M"}}',
        '{"action":{"flow_id":"612345","name":"get_vehicle_info","parameters":{"vehicle_id":"1","mtkn":"M"},"session_token":"T","mtkn":"M"}}',
        '{"action":{"flow_id":"612345","name":"get_vehicle_info","parameters":{"vehicle_id":"1","client_id":"7","client_id":"7","mtkn":"M"},"session_token":"T","mtkn":"M"}}',
        "%7B%22action%22",
    ],
)
def test_whatever_is_not_as_the_page_sends_it_is_forbidden(run: Run, raw: str) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            text = raw.replace('"M"', '"1763812345000000001"').replace('"T"', f'"{talk.token}"')
            await talk.socket.send_str(text)
            answer = await Talk(talk.socket, talk.token, is_percent=raw.startswith("%")).receive()
            assert value_of(answer) == "403"
            assert "action forbidden" in str(answer)

    run(act)


def test_an_mtkn_is_good_for_one_frame(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await talk.send("get_vehicle_info", vehicle_id="1", client_id="7")
            sent = (await fleet.ask("log"))[-1]["raw"]
            await talk.receive()
            await talk.socket.send_str(sent)
            assert value_of(await talk.receive()) == "403"

    run(act)


def test_compression_is_offered(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        address = f"{fleet.url}/{GUID}/{await fleet.token()}/json?defragment=1"
        async with fleet.session.ws_connect(address, headers={"Origin": ORIGIN}, compress=15) as socket:
            assert socket.compress
        assert isinstance(socket, aiohttp.ClientWebSocketResponse)

    run(act)
