"""A frame that is not as it was captured is told from one that is, in words that say where and how."""

import time

import msgspec
import pytest

from atalaia.sdk.fidelity import FrameDeparts, RawNumber, Template, TemplateMismatch, check, departures, diff, render
from tests.unit.fidelity.frames import BESIDE, MTKN, TOKEN, VALUES, VARIABLES, WITH_FLOW_ID, percent

TEMPLATE = Template.from_sample(WITH_FLOW_ID, VARIABLES)


def said(text: str, template: Template = TEMPLATE) -> list[str]:
    return [str(departure) for departure in departures(template, text)]


def changed(old: str, new: str) -> list[str]:
    assert old in WITH_FLOW_ID
    return said(WITH_FLOW_ID.replace(old, new))


def test_other_values_of_what_varies_are_no_departure() -> None:
    assert said(render(TEMPLATE, VALUES)) == []


def test_a_wrong_type_is_named_with_both_sides() -> None:
    assert changed('"call_num":"0"', '"call_num":0') == [
        'parameters.call_num: captured string "0", would send number 0'
    ]


def test_a_constant_given_another_value_departs_when_it_is_rendered() -> None:
    frame = render(TEMPLATE, VALUES | {"parameters.call_num": 0})
    assert said(frame) == ['parameters.call_num: captured string "0", would send number 0']
    with pytest.raises(FrameDeparts, match='captured string "0", would send number 0'):
        check(TEMPLATE, frame)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"call_num":"0"', '"call_num":"1"', 'parameters.call_num: captured string "0", would send string "1"'),
        ('"call_num":"0",', "", 'parameters.call_num: captured string "0", would send nothing'),
        ('"call_num"', '"x":null,"call_num"', "parameters.x: captured nothing, would send null"),
        ('"call_num":"0"', '"call_num":"0","call_num":"0"', "parameters.call_num: captured once, would send twice"),
        (
            '"action_source":"0","action_id":"1"',
            '"action_id":"1","action_source":"0"',
            (
                "parameters: captured key order client_id, client_name, action_source, action_id, call_num, tag, _action_name, mtkn,"
                " would send key order client_id, client_name, action_id, action_source, call_num, tag, _action_name, mtkn"
            ),
        ),
        (
            '"tag":"load',
            '"tag":"\\u006coad',
            (
                'parameters.tag: captured string "loading_screen", would send string "\\u006coading_screen"'
                " (the same text, escaped differently)"
            ),
        ),
        ('"tag":', '"tag": ', 'parameters: captured ":", would send ": " (whitespace differs)'),
        ('"client_id":"77"', '"client_id":77', 'parameters.client_id: captured string "77", would send number 77'),
        ('"client_id":"77"', '"client_id":true', 'parameters.client_id: captured string "77", would send true'),
        (f'"{TOKEN}"', "5", "session_token: captured string of 42 letters and digits, would send number ***"),
        ('"612345"', '"1"', 'flow_id: captured string "612345", would send string "1" (not 6 characters)'),
        (
            f',"mtkn":"{MTKN}"}}}}',
            ',"mtkn":"9"}}',
            "mtkn: captured the same as parameters.mtkn, would send another (mtkn differs)",
        ),
        ('{"action"', ' {"action"', '$: captured "…", would send " …" (whitespace differs)'),
    ],
)
def test_each_departure_has_its_words(old: str, new: str, words: str) -> None:
    assert changed(old, new) == [words]


@pytest.mark.parametrize("number", ["1.0", "1e0", "-1.5"])
def test_a_whole_number_stays_one(number: str) -> None:
    template = Template.from_sample('{"action":{"name":"x","process_id":7001}}', {"process_id": "process_id"})
    assert said(render(template, {"process_id": 7002}), template) == []
    assert len(said(render(template, {"process_id": RawNumber(number)}), template)) == 1
    assert len(said(render(template, {"process_id": "7002"}), template)) == 1


@pytest.mark.parametrize("other", ["1.0", '"1"', "1e0", "true", "[1]", "null", "1E0", "10"])
def test_tokens_that_a_parser_may_hold_for_equal_are_not(other: str) -> None:
    template = Template.from_sample('{"action":{"name":"x","n":1}}')
    assert len(said(f'{{"action":{{"name":"x","n":{other}}}}}', template)) == 1


def test_what_stands_beside_the_action_has_a_path_from_the_top() -> None:
    template = Template.from_sample(BESIDE)
    assert said(BESIDE.replace(f'"session_token":"{TOKEN}"', '"session_token":null'), template) == [
        "$.session_token: captured string of 42 letters and digits, would send null"
    ]


def test_the_percent_form_is_part_of_the_frame() -> None:
    wire = percent(WITH_FLOW_ID)
    template = Template.from_sample(wire, VARIABLES)
    frame = render(template, VALUES)
    assert frame == percent(render(TEMPLATE, VALUES))
    assert said(frame, template) == []
    assert said(WITH_FLOW_ID, template) == ["$: captured percent-encoded text, would send plain text"]
    assert said(wire) == ["$: captured plain text, would send percent-encoded text"]
    for old, new in (("%7B", "%7b"), ("%20", "+"), ("_", "%5F"), ("%2C", ",")):
        other = [departure.way for departure in departures(template, wire.replace(old, new, 1))]
        assert set(other) <= {"encoding", "constant"}
        assert other, (old, new)


def test_values_are_escaped_as_the_captured_ones() -> None:
    ascii_only = Template.from_sample('{"action":{"name":"x","a":"\\u00e9","b":"v"}}', {"b": "b"})
    assert '"b":"\\u00e7"' in render(ascii_only, {"b": "ç"})
    slashes = Template.from_sample('{"action":{"name":"x","a":"1\\/2","b":"v"}}', {"b": "b"})
    assert '"b":"3\\/4"' in render(slashes, {"b": "3/4"})
    assert said('{"action":{"name":"x","a":"1\\/2","b":"3/4"}}', slashes) == [
        'b: captured string "3\\/4", would send string "3/4" (the same text, escaped differently)'
    ]


def test_text_that_is_not_json_departs() -> None:
    assert said("{") == ["$: captured object, would send text that is not JSON (at 1: a string is expected)"]


def test_a_template_keeps_no_secret() -> None:
    for text in (
        WITH_FLOW_ID,
        BESIDE,
        percent(BESIDE),
        '{"action":{"name":"user_login","parameters":{"password":"' + TOKEN + '"}}}',
    ):
        template = Template.from_sample(text)
        assert TOKEN not in repr(template)
        assert TOKEN not in msgspec.json.encode(template).decode()


def test_no_departure_tells_a_secret() -> None:
    for text in (
        WITH_FLOW_ID.replace(f'"{TOKEN}"', f'{{"a":"{TOKEN}"}}'),
        WITH_FLOW_ID.replace(f'"{TOKEN}"', '"\\u0041' + TOKEN + '"'),
        WITH_FLOW_ID.replace('"tag"', f'"password":"{TOKEN}","tag"'),
        percent(WITH_FLOW_ID).replace("%22", '"'),
    ):
        for template in (TEMPLATE, Template.from_sample(percent(WITH_FLOW_ID), VARIABLES)):
            words = said(text, template)
            assert words
            assert TOKEN[:6] not in "".join(words)


def test_a_frame_without_a_value_is_not_made() -> None:
    with pytest.raises(TemplateMismatch, match=r"parameters\.client_name"):
        render(TEMPLATE, {name: value for name, value in VALUES.items() if name != "client_name"})


def test_a_value_that_has_no_place_is_a_departure() -> None:
    with pytest.raises(FrameDeparts, match=r'parameters.vehicle_id: captured nothing, would send string "5"'):
        render(TEMPLATE, VALUES | {"parameters.vehicle_id": "5"})


def test_templates_survive_being_kept() -> None:
    for text in (WITH_FLOW_ID, percent(BESIDE)):
        template = Template.from_sample(text)
        assert msgspec.json.decode(msgspec.json.encode(template), type=Template) == template


def test_people_see_what_differs_between_two_captures() -> None:
    other = WITH_FLOW_ID.replace(MTKN, MTKN[::-1]).replace(TOKEN, TOKEN[::-1]).replace('"call_num":"0"', '"call_num":0')
    assert [str(one) for one in diff(WITH_FLOW_ID, other)] == [
        'parameters.call_num: captured string "0", would send number 0'
    ]
    assert diff(WITH_FLOW_ID, WITH_FLOW_ID) == []
    assert len(diff("no", "json")) == 1
    assert diff("no", "no") == []


def test_a_kilobyte_is_checked_in_well_under_a_millisecond() -> None:
    more = "".join(f'"k{n}":"value {n}",' for n in range(35))
    template = Template.from_sample(WITH_FLOW_ID.replace('"tag"', more + '"tag"'), VARIABLES)
    frame = render(template, VALUES)
    durations = []
    for _ in range(50):
        started = time.perf_counter()
        departures(template, frame)
        durations.append(time.perf_counter() - started)
    assert min(durations) < 0.0005
