"""What comes over the third party's socket is read in all the forms in which it was seen."""

from urllib.parse import quote

import pytest

from atalaia.integrations.traffilog import answers

REFUSED = '{"action_value":"403","error_description":"action forbidden"}'


@pytest.mark.parametrize(
    "text",
    [
        '{"mtkn":"17","action_value":"0"}',
        '{"response":{"properties":{"mtkn":"17","action_value":"0"}}}',
        '{"response":{"mtkn":"17"},"action_value":"0"}',
        '{"action":{"mtkn":"17"},"action_value":"0"}',
    ],
)
def test_the_mtkn_is_found_at_each_place_where_it_was_seen(text: str) -> None:
    reading = answers.read(text)

    assert reading is not None
    assert (reading.mtkn, reading.action_value, reading.is_error) == ("17", "0", False)


@pytest.mark.parametrize(
    "padded", [REFUSED, REFUSED + "\0\0", REFUSED + "\0\n", quote(REFUSED), "\0" + quote(REFUSED, safe="") + "\0"]
)
def test_padding_and_percent_encoding_change_nothing(padded: str) -> None:
    reading = answers.read(padded)

    assert reading is not None
    assert (reading.action_value, reading.description, reading.mtkn) == ("403", "action forbidden", None)


@pytest.mark.parametrize(
    "text", ["", "\0\0", "[1]", "7", "%7Bnot", '{"a":', "\ud800", "[" * 100_000, '{"a":' * 100_000]
)
def test_what_is_no_object_is_nobodys_answer(text: str) -> None:
    assert answers.read(text) is None


def test_a_refusal_of_the_session_is_told_from_one_of_the_payload() -> None:
    session = answers.read('{"action_value":"401","error_description":"Session not found"}')
    payload = answers.read(REFUSED)

    assert session is not None
    assert payload is not None
    assert session.names_session
    assert not payload.names_session


@pytest.mark.parametrize(
    "text",
    [
        '{"process_id":7001}',
        '{"response":{"properties":{"process_id":"7001"}}}',
        '{"response":{"properties":{"data":[{"x":1},{"process_id":7001}]}}}',
    ],
)
def test_the_process_id_is_found_as_text(text: str) -> None:
    reading = answers.read(text)

    assert reading is not None
    assert answers.process_id(reading.content) == "7001"


def test_an_empty_progress_is_no_news_and_not_zero() -> None:
    reading = answers.read(
        '{"response":{"properties":{"action_name":"refresh","data_source":"UNIT_CONFIG_STATUS",'
        '"data":[{"status":"Sending","progress":""},{"status":"Sending","progress":"0"},{"progress":"41.5%"},{"progress":true}]}}}'
    )

    assert reading is not None
    assert [push.progress for push in reading.pushes] == [None, 0.0, 41.5, None]


@pytest.mark.parametrize(
    "said", ['"NaN"', '"inf"', "NaN", "Infinity", "1e999", '"9_9.9"', '"１００"', '"100 of 200"', "[100]"]
)
def test_what_is_no_plain_number_is_no_progress(said: str) -> None:
    """`inf` was taken for done."""
    reading = answers.read(
        '{"response":{"properties":{"action_name":"refresh","data_source":"UNIT_CONFIG_STATUS",'
        f'"data":[{{"status":"Sending","progress":{said}}}]}}}}}}'
    )

    assert reading is not None
    assert [push.progress for push in reading.pushes] == [None]


def test_an_answer_whose_text_was_cut_through_a_character_is_read() -> None:
    """The third party cuts comments at a length, by UTF-16 units: half an emoji is left, and the answer was lost."""
    reading = answers.read(
        r'{"mtkn":"17","action_value":"0","response":{"properties":{"data":[{"comment":"x \ud83d"}]}}}'
    )

    assert reading is not None
    assert (reading.mtkn, reading.action_value) == ("17", "0")
    (item,) = answers.items(reading.content)
    assert str(item["comment"]).encode() == b"x ?"


def test_a_refresh_of_something_else_is_no_push_of_the_unit() -> None:
    reading = answers.read(
        '{"response":{"properties":{"action_name":"refresh","data_source":"UNIT_MESSAGES","data":[{"status":"Done"}]}}}'
    )

    assert reading is not None
    assert not reading.pushes
