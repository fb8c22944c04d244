"""The simulated fleet platform does what is asked of it in the order that the real one wants, and writes it in its book."""

from pathlib import Path
from typing import Any

import pytest

from atalaia_simulators.traffilog import InThread, Options
from tests.unit.simulators.conftest import Run, drive
from tests.unit.simulators.fleet import CLIENT, Fleet, Talk, mtkn_of, value_of

COMMAND: dict[str, Any] = {"action_source": "0", "action_id": "5"}


async def whole(talk: Talk, *, setting: str = "3") -> list[dict[str, Any]]:
    """The flow from its start to its last push; the pushes."""
    process_id = (await talk.review(setting=setting))["process_id"]
    await talk.subscribe()
    assert value_of(await talk.execute(process_id)) == "0"
    return await talk.pushes()


def test_the_flow_runs_to_completed_and_the_setting_is_assigned(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            pushes = await whole(talk)
            assert [push["progress"] for push in pushes] == ["25", "50", "75", "100"]
            assert pushes[-1]["status"] == "Completed"
            info = await talk.ask("get_vehicle_info", vehicle_id="45", client_id="7")
            assert info["response"]["properties"]["data"][0]["vehicle_setting_id"] == "3"
        vehicle = (await fleet.ask("vehicles"))["45"]
        assert (vehicle["setting"], len(vehicle["executions"])) == ("3", 1)
        assert "#rid=r1" in vehicle["executions"][0]["comment"]

    run(act)


def test_the_review_gives_its_process_at_both_places(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            answer = await talk.review()
            assert answer["response"]["properties"]["data"][0]["process_id"] == str(answer["process_id"])
            again = await talk.ask("get_vcls_action_review_opr", **CLIENT, action_source="0")
            assert again["process_id"] == answer["process_id"]

    run(act)


@pytest.mark.parametrize("wrong", ["7001", 1.5, True, None])
def test_a_process_id_that_is_no_number_is_forbidden_and_nothing_happens(run: Run, wrong: Any) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            process_id = (await talk.review())["process_id"]
            answer = await talk.execute(str(process_id) if wrong == "7001" else wrong)
            assert value_of(answer) == "403"
        assert await fleet.ask("vehicles") == {}

    run(act)


def test_steps_out_of_order_are_refused(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            assert value_of(await talk.ask("review_process_attributes", client_id="7")) == "403"
            assert value_of(await talk.execute(700001)) == "403"
            await talk.review(until="review_process_attributes")
            assert value_of(await talk.ask("get_vcls_action_review_opr", **CLIENT, action_source="0")) == "404"

    run(act)


def test_a_process_is_executed_once(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            process_id = (await talk.review())["process_id"]
            assert value_of(await talk.execute(process_id)) == "0"
            assert value_of(await talk.execute(process_id)) == "403"
        assert len((await fleet.ask("vehicles"))["45"]["executions"]) == 1

    run(act)


def test_pushes_come_only_to_those_who_subscribed_before(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as late, fleet.socket() as early:
            await early.subscribe()
            process_id = (await early.review())["process_id"]
            await early.execute(process_id)
            assert value_of(await late.subscribe()) == "0"
            assert (await early.pushes())[-1]["status"] == "Completed"
            answer = await late.ask("get_vehicle_info", vehicle_id="45", client_id="7")
            assert value_of(answer) == "0"  # and no push before it

    run(act)


def test_a_session_that_lost_its_socket_subscribes_again_and_goes_on(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        token = await fleet.token()
        async with fleet.socket(token) as talk:
            await talk.subscribe()
            await talk.execute((await talk.review())["process_id"])
        async with fleet.socket(token) as talk:
            await talk.subscribe()
            assert (await talk.pushes())[-1]["status"] == "Completed"

    run(act)


def test_one_client_has_one_review_slot_until_its_holder_is_gone(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as other:
            async with fleet.socket() as first:
                await first.review()
                assert value_of(await other.review(until="review_process_attributes")) == "8"
            while value_of(await other.review(until="review_process_attributes")) == "8":
                pass
            assert (await other.review())["process_id"]

    run(act)


def test_what_is_assigned_already_is_said(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await whole(talk)
            assert value_of(await talk.review(until="review_process_attributes")) == "1"

    run(act)


def test_a_command_is_put_in_between_the_associates(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await talk.ask("vcls_check_opr", **CLIENT, vehicle_id="45", is_checked="1")
            await talk.ask("associate_vehicles_actions_opr", **CLIENT, **COMMAND, call_num="0", tag="loading_screen")
            await talk.ask("get_custom_command", client_id="7")
            added = {"acknowledge_needed": "1", "command_syntax": "AT+GPS", "action_value": "0"}
            assert value_of(await talk.ask("add_remove_custom_command", **added)) == "0"
            await talk.ask("associate_vehicles_actions_opr", **CLIENT, **COMMAND, call_num="1")
            await talk.ask("review_process_attributes", client_id="7")
            answer = await talk.ask("get_vcls_action_review_opr", **CLIENT, action_source="0")
            await talk.subscribe()
            await talk.execute(answer["process_id"])
            assert (await talk.pushes())[-1]["type"] == "COMMAND"
        vehicle = (await fleet.ask("vehicles"))["45"]
        assert (vehicle["executions"][0]["command"], vehicle["setting"]) == ("AT+GPS", None)

    run(act)


def test_the_history_shows_which_run_made_which_process(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await whole(talk)
            mtkn = await talk.send("get_process_history", client_id="7", vehicle_id="45")
            answer = await talk.receive()
            (item,) = answer["response"]["properties"]["data"]
            assert mtkn_of(answer) == mtkn
            assert ("#rid=r1" in item["comment"], item["status"]) == (True, "Completed")

    run(act)


def test_the_log_has_what_came_to_the_character_and_in_order(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await talk.review()
            await talk.socket.send_str('{ "n" : 1.0 }')
            await talk.receive()
        log = await fleet.ask("log")
        assert log[0]["path"].startswith("/appengine_3/")
        assert '"login_name"' in log[0]["raw"]
        assert log[1]["action"] == "vcls_check_opr"
        assert log[-1]["raw"] == '{ "n" : 1.0 }'
        assert [entry["n"] for entry in log] == list(range(1, len(log) + 1))

    run(act)


def test_reset_forgets_everything(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        token = await fleet.token()
        async with fleet.socket(token) as talk:
            await whole(talk)
            async with fleet.session.post(f"{fleet.url}/_sim/reset") as answer:
                assert answer.status == 204
        assert await fleet.ask("vehicles") == {}
        assert await fleet.ask("log") == []
        assert await fleet.handshake_status(token) == 401

    run(act)


def test_its_book_survives_it(state: Path) -> None:
    first, second = (InThread(Options(state=state, progress_interval_s=0.02)) for _ in range(2))
    first.start()

    async def act(fleet: Fleet) -> tuple[str, Any]:
        token = await fleet.token()
        async with fleet.socket(token) as talk:
            await whole(talk)
        return token, await fleet.ask("vehicles")

    token, vehicles = drive(first, act)
    first.close()
    with state.open("a", encoding="utf-8") as file:
        file.write('{"process": {"process_id": 70')  # a kill in the middle of a line
    second.start()
    try:
        assert drive(second, lambda fleet: fleet.ask("vehicles")) == vehicles
        assert drive(second, lambda fleet: fleet.handshake_status(token)) == 101
    finally:
        second.close()
