"""What is learnt from frames makes those frames again, and tells every other one."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from atalaia.sdk.fidelity import Template, departures, learn, open_frame, render, values_of, without_secrets
from atalaia.sdk.fidelity.paths import walk
from tests.unit.fidelity.frames import BESIDE, TOKEN, UNHURRIED, WITH_FLOW_ID, frames, percent, scalars

SECOND = WITH_FLOW_ID.replace('"77"', '"78"').replace("Frota Sul", "Frota Norte").replace(TOKEN, TOKEN[::-1])


def own_values(template: Template, frame: str) -> str:
    return render(template, values_of(template, frame))


@UNHURRIED
@given(frames())
def test_a_frame_is_made_again_to_the_byte_of_its_own_values(frame: str) -> None:
    (template,) = learn([frame])
    assert own_values(template, frame) == frame
    assert departures(template, frame) == []


@UNHURRIED
@given(frames(), scalars, st.data())
def test_a_frame_with_one_token_changed_departs(frame: str, other: str, data: st.DataObject) -> None:
    (template,) = learn([frame])
    if template.encoding == "percent":
        other = percent(other)
    opened = open_frame(frame, form=template.percent)
    slots = [
        opened.span(node.start, node.end)
        for path, _, node in walk(opened.root)
        if path in {s.path for s in template.slots}
    ]
    spans = [opened.span(leaf.start, leaf.end) for leaf in opened.root.leaves()]
    constants = [(a, b) for a, b in spans if not any(x <= a and b <= y for x, y in slots)]
    start, end = data.draw(st.sampled_from(constants))
    assume(frame[start:end] != other)
    assert departures(template, frame[:start] + other + frame[end:])


@UNHURRIED
@given(frames(), st.data())
def test_a_frame_with_one_character_of_a_constant_changed_departs(frame: str, data: st.DataObject) -> None:
    (template,) = learn([frame])
    literals, at = list[int](), 0
    for part, value in zip(template.form, [*template.form[1:], ""], strict=True):
        if isinstance(part, str):
            literals += range(at, at + len(part))
            at += len(part)
        else:
            at = frame.index(value, at) if isinstance(value, str) and value else len(frame)
    place = data.draw(st.sampled_from(literals))
    character = data.draw(st.characters(exclude_characters=frame[place], exclude_categories=["Cs"]))
    assert departures(template, frame[:place] + character + frame[place + 1 :])


@UNHURRIED
@given(frames(), frames())
def test_all_frames_of_a_group_fit_what_was_learnt_from_them(one: str, other: str) -> None:
    templates = learn([one, other])
    for frame in (one, other):
        assert any(departures(template, frame) == [] for template in templates)


@UNHURRIED
@given(frames())
def test_secrets_are_taken_out_and_the_template_stays(frame: str) -> None:
    clean = without_secrets(frame)
    assert TOKEN not in clean
    assert learn([clean])[0].form == learn([frame])[0].form


@UNHURRIED
@given(frames(), st.data())
def test_frames_of_one_shape_fit_the_one_template_learnt_from_them(frame: str, data: st.DataObject) -> None:
    opened = open_frame(frame)
    leaves = sorted((opened.span(leaf.start, leaf.end) for leaf in opened.root.leaves()), reverse=True)
    other = frame
    for start, end in leaves:
        if data.draw(st.booleans()):
            value = data.draw(scalars)
            other = other[:start] + (percent(value) if opened.encoding == "percent" else value) + other[end:]
    templates = learn([frame, other])
    for each in (frame, other):
        assert any(departures(template, each) == [] for template in templates)
        assert any(own_values(template, each) == each for template in templates)


def test_samples_that_write_spaces_differently_are_of_two_templates() -> None:
    samples = ["%7B%22a%22%3A%22b+c%22%7D", "%7B%22a%22%3A%22b%20c%22%7D", "%7B%22a%22%3A%22bc%22%7D"]
    templates = learn(samples)
    assert [template.samples for template in templates] == [2, 1]
    assert all(any(departures(template, sample) == [] for template in templates) for sample in samples)


def test_what_differs_between_samples_is_variable_and_the_rest_is_not() -> None:
    (template,) = learn([WITH_FLOW_ID, SECOND])
    assert {slot.path: slot.kind for slot in template.slots} == {
        "flow_id": "volatile",
        "parameters.client_id": "variable",
        "parameters.client_name": "variable",
        "parameters.mtkn": "volatile",
        "session_token": "volatile",
        "mtkn": "volatile",
    }
    assert template.samples == 2


def test_a_name_that_varies_is_variable_even_in_one_sample() -> None:
    (template,) = learn([WITH_FLOW_ID], variables={"client_id"})
    assert [slot.name for slot in template.slots if slot.kind == "variable"] == ["client_id"]


def test_two_types_at_one_place_are_both_taken() -> None:
    (template,) = learn([WITH_FLOW_ID, WITH_FLOW_ID.replace('"77"', "77")])
    assert next(slot for slot in template.slots if slot.name == "client_id").type == "any"


def test_shapes_of_one_action_are_told_apart_by_their_keys() -> None:
    other = WITH_FLOW_ID.replace('"tag":"loading_screen"', '"vehicle_setting_id":"3"').replace(
        '"call_num":"0"', '"call_num":"1"'
    )
    templates = learn([WITH_FLOW_ID, other, BESIDE, WITH_FLOW_ID])
    assert [template.variant for template in templates][:2] == [
        "action_id,action_source,client_name,flow_id,tag",
        "action_id,action_source,client_name,flow_id,vehicle_setting_id",
    ]
    assert len({template.key for template in templates}) == 3
    assert templates[0].samples == 2


@pytest.mark.parametrize("encode", [str, percent])
def test_arrays_of_varying_length_are_one_variable(encode: "type[str]") -> None:
    samples = [
        encode(f'{{"action":{{"name":"x","data":{data}}}}}') for data in ("[]", "[1]", '[{"session_token":"s3cr3t"}]')
    ]
    (template,) = learn(samples)
    assert "s3cr3t" not in repr(template)
    for sample in samples:
        assert departures(template, sample) == []
        assert own_values(template, sample) == sample
