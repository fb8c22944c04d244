"""JSON text is read token by token; nothing that a parser would lose is lost."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.sdk.fidelity import NotJson, decode_string, open_frame, parse, plain_text
from tests.unit.fidelity.frames import BESIDE, UNHURRIED, documents, percent, strings


@UNHURRIED
@given(documents)
def test_what_json_takes_is_taken_and_every_token_is_where_it_says(text: str) -> None:
    root = parse(text)
    assert json.loads(root.raw) == json.loads(text)
    for leaf in root.leaves():
        assert text[leaf.start : leaf.end] == leaf.raw


@UNHURRIED
@given(st.text())
def test_no_text_is_too_strange_to_be_refused(text: str) -> None:
    with contextlib.suppress(NotJson):
        parse(text)
    with contextlib.suppress(NotJson):
        open_frame(text)
    with contextlib.suppress(NotJson):
        plain_text("%" + text)


@UNHURRIED
@given(st.text(alphabet='{}[]",:\\u0e+-.1 tfn', max_size=20))
def test_what_json_refuses_is_refused(text: str) -> None:
    try:
        json.loads(
            text, parse_constant=lambda word: pytest.fail(word) if not text else (_ for _ in ()).throw(ValueError)
        )
    except ValueError:
        with pytest.raises(NotJson):
            parse(text)
    else:
        parse(text)


@UNHURRIED
@given(strings())
def test_a_string_says_what_json_says_that_it_says(raw: str) -> None:
    assert decode_string(raw) == json.loads(raw)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ('{"a":1', 6),
        ('{"a" 1}', 5),
        ("[1,]", 3),
        ('{"a":1,}', 7),
        ("1 2", 2),
        ("01", 1),
        ('"\n"', 0),
        ("nul", 0),
        ("NaN", 0),
    ],
)
def test_a_refusal_says_where(text: str, position: int) -> None:
    with pytest.raises(NotJson) as refused:
        parse(text)
    assert refused.value.position == position


def test_deep_nesting_is_refused_and_not_a_crash() -> None:
    with pytest.raises(NotJson):
        parse("[" * 100_000)


def test_duplicate_keys_are_kept() -> None:
    root = parse('{"a":1,"\\u0061":2}')
    assert [(member.raw_key, member.key, member.value.raw) for member in root.members] == [
        ('"a"', "a", "1"),
        ('"\\u0061"', "a", "2"),
    ]


def test_padding_and_percent_encoding_are_seen_through() -> None:
    assert plain_text(percent(BESIDE) + "\0\0") == BESIDE
    assert plain_text(BESIDE + "\0") == BESIDE


@pytest.mark.parametrize("wire", ["%7B%", "%7B%2", "%7B%22%FF%22", "%zz"])
def test_broken_percent_encoding_is_refused(wire: str) -> None:
    with pytest.raises(NotJson):
        plain_text(wire)
