"""Each fault of the simulated fleet platform does what its name says, and a wrong one is refused by name."""

import json
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from atalaia_simulators.traffilog.faults import KNOWN
from tests.unit.simulators.conftest import QUICK_S, Run
from tests.unit.simulators.fleet import CLIENT, Fleet, Talk, is_push, mtkn_of, value_of

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "integrations" / "traffilog-simulator.md"


async def info(talk: Talk) -> dict[str, Any]:
    return await talk.ask("get_vehicle_info", vehicle_id="45", client_id="7")


async def started(talk: Talk) -> dict[str, Any]:
    process_id = (await talk.review())["process_id"]
    await talk.subscribe()
    return await talk.execute(process_id)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"silentunit": True}, "'silent_unit'"),
        ({"cut_after_frame": "three"}, "cut_after_frame takes a number"),
        ({"silent_unit": 3}, "silent_unit takes true or false"),
        ({"mute": "x"}, "mute takes a list of texts"),
        ({"silent_unit": {"value": True, "times": 0}}, "times"),
    ],
)
def test_a_fault_that_there_is_not_is_refused_by_name(run: Run, wanted: dict[str, Any], words: str) -> None:
    status, answer = run(lambda fleet: fleet.faults(**wanted))
    assert status == 400
    assert words in answer["error"]


def test_a_refused_change_changes_nothing(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        before = (await fleet.ask("faults"))["on"]
        assert (await fleet.faults(silent_unit=True, nonsense=1))[0] == 400
        assert (await fleet.ask("faults"))["on"] == before

    run(act)


def test_an_empty_object_clears_all_and_false_clears_one(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        await fleet.faults(silent_unit=True, fragment=True)
        assert "fragment" not in (await fleet.faults(fragment=False))[1]
        assert "silent_unit" not in (await fleet.faults())[1]

    run(act)


@pytest.mark.parametrize("body", ["[1]", "{", '"x"'])
def test_control_that_is_no_object_is_refused(run: Run, body: str) -> None:
    async def act(fleet: Fleet) -> int:
        async with fleet.session.post(f"{fleet.url}/_sim/faults", data=body) as answer:
            return answer.status

    assert run(act) == 400


def test_every_fault_is_in_the_guide() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert [name for name in KNOWN if f"`{name}`" not in guide] == []


def test_a_type_error_is_said_though_there_is_none(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await fleet.faults(wrong_type_403={"value": True, "times": 1})
            assert value_of(await info(talk)) == "403"
            assert value_of(await info(talk)) == "0"

    run(act)


def test_a_fault_may_be_for_some_actions_alone(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await fleet.faults(wrong_type_403=True, only_actions=["vehicle_subscribe"])
            assert value_of(await info(talk)) == "0"
            assert value_of(await talk.subscribe()) == "403"

    run(act)


def test_an_error_may_come_without_its_mtkn(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await fleet.faults(wrong_type_403=True, raw_error_without_mtkn=True)
            assert await info(talk) == {"action_value": "403", "error_description": "action forbidden"}

    run(act)


def test_answers_come_late(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await fleet.faults(answer_delay_ms=150)
            began = time.monotonic()
            await info(talk)
            assert time.monotonic() - began >= 0.15
            await fleet.faults(answer_delay_ms=None, answer_late={"value": 30, "times": 1})
            first = await talk.send("get_vehicle_info", vehicle_id="45", client_id="7")
            second = await talk.send("get_vehicle_info", vehicle_id="46", client_id="7")
            assert mtkn_of(await talk.receive()) == second != first

    run(act)


def test_answers_overtake_each_other_and_none_is_lost(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await fleet.faults(reorder_answers=True)
            sent = [await talk.send("get_vehicle_info", vehicle_id=str(n), client_id="7") for n in range(3)]
            got = [mtkn_of(await talk.receive()) for _ in sent]
            assert got == [sent[1], sent[0], sent[2]]

    run(act)


def test_an_action_may_stay_unanswered(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await fleet.faults(mute=["vcls_check_opr"])
            await talk.send("vcls_check_opr", **CLIENT, vehicle_id="45", is_checked="1")
            mtkn = await talk.send("get_vehicle_info", vehicle_id="45", client_id="7")
            assert mtkn_of(await talk.receive()) == mtkn

    run(act)


async def is_cut(talk: Talk) -> bool:
    message = await talk.socket.receive(timeout=60)
    return message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}


def test_a_socket_is_cut_after_its_nth_frame(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await fleet.faults(cut_after_frame=2)
            await info(talk)
            await talk.send("get_vehicle_info", vehicle_id="45", client_id="7")
            while not await is_cut(talk):
                pass
        assert len([entry for entry in await fleet.ask("log") if entry["kind"] == "frame"]) == 2

    run(act)


@pytest.mark.parametrize(("fault", "executions"), [("cut_after_execute", 1), ("cut_before_execute", 0)])
def test_a_socket_is_cut_at_execute(run: Run, fault: str, executions: int) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await fleet.faults(**{fault: True})
            process_id = (await talk.review())["process_id"]
            with pytest.raises(TypeError):  # no text came
                await talk.execute(process_id)
        assert len((await fleet.ask("vehicles")).get("45", {"executions": []})["executions"]) == executions

    run(act)


def test_the_first_reviews_are_not_ready(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await fleet.faults(review_404=2)
            assert value_of(await talk.review()) == "404"
            review = ("get_vcls_action_review_opr", {**CLIENT, "action_source": "0"})
            assert value_of(await talk.ask(review[0], **review[1])) == "404"
            assert (await talk.ask(review[0], **review[1]))["process_id"]

    run(act)


def test_the_slot_may_be_busy(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await fleet.faults(slot_busy=True)
            assert value_of(await talk.review(until="review_process_attributes")) == "8"

    run(act)


def test_a_silent_unit_says_nothing_and_gets_nowhere(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await fleet.faults(silent_unit=True)
            await started(talk)
            until = time.monotonic() + 5 * QUICK_S
            while time.monotonic() < until:  # pushes would come in between
                mtkn = await talk.send("get_process_history", client_id="7", vehicle_id="45")
                answer = await talk.receive()
                assert mtkn_of(answer) == mtkn
            assert answer["response"]["properties"]["data"][0]["status"] == "In Progress"

    run(act)


def test_progress_may_be_empty(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await fleet.faults(empty_progress=True)
            await started(talk)
            assert {push["progress"] for push in await talk.pushes()} == {""}

    run(act)


@pytest.mark.parametrize("status", ["Disconnected", "Batch Timeout", "Retry", "Internal Timeout"])
def test_a_unit_ends_half_way_with_the_status_wanted_and_is_not_changed(run: Run, status: str) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await fleet.faults(push_status=status)
            await started(talk)
            assert (await talk.pushes())[-1]["status"] == status
        assert (await fleet.ask("vehicles"))["45"]["setting"] is None

    run(act)


def test_a_unit_may_end_with_an_error_text(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await fleet.faults(push_status="Error", push_error="checksum")
            await started(talk)
            assert (await talk.pushes())[-1]["error"] == "checksum"

    run(act)


def test_frames_may_be_fragmented_padded_and_encoded(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await fleet.faults(fragment=True, nul_padding=3, percent_encode=True)
            await talk.send("get_vehicle_info", vehicle_id="45", client_id="7")
            raw = await talk.socket.receive_str(timeout=60)
            assert raw.startswith("%7B")
            assert raw.endswith("%7D\0\0\0")
            await fleet.faults(percent_encode=False)
            await talk.send("get_vehicle_info", vehicle_id="é" * 70_000, client_id="7")
            raw = await talk.socket.receive_str(timeout=60)
            assert "é" * 70_000 in json.loads(raw.rstrip("\0"))["response"]["properties"]["data"][0]["vehicle_id"]

    run(act)


def test_frames_of_others_come_in_between(run: Run) -> None:
    async def act(fleet: Fleet) -> None:
        async with fleet.socket() as talk:
            await fleet.faults(interleave_foreign_frames=True)
            mtkn = await talk.send("get_vehicle_info", vehicle_id="45", client_id="7")
            frames = [await talk.receive() for _ in range(3)]
            assert [is_push(frame) for frame in frames] == [True, True, False]
            assert mtkn_of(frames[-1]) == mtkn

    run(act)
