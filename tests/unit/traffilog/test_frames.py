"""Frames go out as the real page sends them, or not at all."""

import itertools
from collections.abc import Mapping
from urllib.parse import quote

import msgspec
import pytest

from atalaia.core.redaction import Secret
from atalaia.integrations.traffilog.frames import FrameMaker, Value, built_in_templates
from atalaia.sdk.fidelity.learning import learn
from atalaia.sdk.jobs import JobFailed

BUILT_IN = {template.key: msgspec.to_builtins(template) for template in built_in_templates()}
TOKEN = Secret("Ab3" * 14)
EXECUTE: Mapping[str, Value] = {
    "client_id": "12",
    "client_name": "Transportes Zé",
    "vehicle_id": "345",
    "process_id": 7001,
    "action_source": "0",
    "tag": "loading_screen",
    "comment": "troca #rid=x-1 #pid=7001",
    "toggle_check": "1",
}


def maker(templates: Mapping[str, object] | None = None) -> FrameMaker:
    numbers = itertools.count(1)
    return FrameMaker(
        templates or BUILT_IN,
        now_ms=lambda: 1700000000000,
        digits=lambda count: str(next(numbers)).rjust(count, "0")[-count:],
    )


def test_the_built_in_form_is_the_observed_one() -> None:
    frame = maker().make("execute_action_opr", EXECUTE, token=TOKEN)

    assert frame.raw == (
        '{"action":{"flow_id":"600002","name":"execute_action_opr","parameters":{"client_id":"12",'
        '"client_name":"Transportes Zé","vehicle_id":"345","process_id":7001,"action_source":"0","tag":"loading_screen",'
        '"comment":"troca #rid=x-1 #pid=7001","toggle_check":"1","_action_name":"execute_action_opr",'
        f'"mtkn":"1700000000000000001"}},"session_token":"{TOKEN.reveal()}","mtkn":"1700000000000000001"}}}}'
    )
    frame.check()


def test_the_token_is_not_in_what_is_shown() -> None:
    frame = maker().make("execute_action_opr", EXECUTE, token=TOKEN)

    assert TOKEN.reveal() not in msgspec.json.encode(frame.shown).decode()


def test_each_frame_has_a_new_mtkn() -> None:
    frames = maker()

    assert len({frames.make("vehicle_subscribe", SUBSCRIBE, token=TOKEN).mtkn for _ in range(5)}) == 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"action_source": 0}, 'parameters.action_source: captured string "0", would send number 0'),
        ({"process_id": "7001"}, 'parameters.process_id: captured number 7001, would send string "7001"'),
        ({"toggle_check": "0"}, 'parameters.toggle_check: captured string "1", would send string "0"'),
        ({"color": "red"}, 'parameters.color: captured nothing, would send string "red"'),
    ],
)
def test_a_frame_that_departs_is_not_sent_and_says_where(change: Mapping[str, Value], said: str) -> None:
    frame = maker().make("execute_action_opr", {**EXECUTE, **change}, token=TOKEN)

    assert list(frame.departures) == [said]
    with pytest.raises(JobFailed, match="departs") as caught:
        frame.check()
    assert caught.value.failure == "payload_departs"


def test_an_action_without_a_template_is_not_guessed() -> None:
    with pytest.raises(JobFailed, match="no template of self_destruct"):
        maker().make("self_destruct", {}, token=TOKEN)


SUBSCRIBE: Mapping[str, Value] = {"vehicle_id": "345", "object_type": "UNIT_MESSAGES"}
OTHER_FORM = (
    '{"action":{"name":"vehicle_subscribe","parameters":{"object_type":"UNIT_MESSAGES","vehicle_id":"9","extra":"7",'
    '"_action_name":"vehicle_subscribe","mtkn":"16"}},"mtkn":"16","session_token":"aaaaaaaaaaaaaaaaaaaaaaaa"}'
)


@pytest.mark.parametrize("encode", [str, lambda text: quote(text, safe="")])
def test_a_captured_form_is_followed_to_the_byte(encode: type[str]) -> None:
    captured = learn([encode(OTHER_FORM)], variables=["vehicle_id", "object_type"])
    templates = {one.key: msgspec.to_builtins(one) for one in captured}

    frame = maker(templates).make("vehicle_subscribe", SUBSCRIBE, token=TOKEN)

    expected = OTHER_FORM.replace('"9"', '"345"').replace('"16"', f'"{frame.mtkn}"').replace("a" * 24, TOKEN.reveal())
    assert frame.raw == encode(expected)
    frame.check()


def test_the_template_with_the_same_parameters_is_taken() -> None:
    base: Mapping[str, Value] = {"client_id": "1", "client_name": "n", "action_source": "0", "action_id": "1"}
    frames = maker()

    opened = frames.make(
        "associate_vehicles_actions_opr", {**base, "call_num": "0", "tag": "loading_screen"}, token=TOKEN
    )
    setting = frames.make(
        "associate_vehicles_actions_opr", {**base, "call_num": "1", "vehicle_setting_id": "5"}, token=TOKEN
    )
    command = frames.make("associate_vehicles_actions_opr", {**base, "call_num": "1"}, token=TOKEN)

    assert not [*opened.departures, *setting.departures, *command.departures]
