"""Secrets are taken out by name and by value, and nothing else is touched."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.captures.model.secrets import Redactor
from tests.unit.captures.recorded import GUID, PASSWORD, TOKEN, URL, frame

MARK = "1732270000000123456"


def cleaned(text: str, *known: str) -> str:
    """`known` are other messages of the same recording."""
    redactor = Redactor()
    for other in (*known, text):
        redactor.learn(other)
    return redactor.text(text)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"session_token":"{TOKEN}"}}',
        f'{{"session\\u005ftoken":"{TOKEN}"}}',
        f'{{"a":{{"token":["{TOKEN}",{{"x":"{TOKEN}"}}]}}}}',
        f'{{"data":"{{\\"session_token\\":\\"{TOKEN}\\"}}"}}',
        f'{{"data":"{quote(json.dumps({"session_token": TOKEN}))}"}}',
        f'{{"session_token":"{TOKEN}',  # cut off
        f'junk {{"session_token" : "{TOKEN}"}} \x00\x00',
        f'42["auth",{{"apiKey":"{TOKEN}"}}]',
        quote(f'{{"session_token":"{TOKEN}"}}', safe=""),
        quote(f'{{"a":"{{\\"password\\":\\"{TOKEN}\\"}}"}}', safe=""),
        f"session_token={TOKEN}&x=1",
        f'{{"url":"https://h/x?access_token={TOKEN}"}}',
        f'{{"header":"Authorization: Bearer {TOKEN}"}}',
    ],
)
def test_a_secret_is_found_by_its_name_in_whatever_it_is_wrapped(text: str) -> None:
    shown = cleaned(text)
    assert TOKEN not in shown
    assert TOKEN not in repr(shown)
    assert len(shown) == len(text)


def test_a_value_that_was_seen_once_is_taken_out_everywhere() -> None:
    login = f'{{"action":{{"name":"user_login","parameters":{{"password":"{PASSWORD}"}}}}}}'
    assert PASSWORD not in cleaned(f'{{"error":"wrong: {PASSWORD}"}}', login)
    assert quote(PASSWORD) not in cleaned(quote(f'{{"error":"wrong: {PASSWORD}"}}', safe=""), login)
    escaped = json.dumps({"error": json.dumps({"said": f"é {PASSWORD}"})})
    assert PASSWORD not in cleaned(escaped, login)


def test_the_token_of_an_address_is_taken_out_of_frames() -> None:
    redactor = Redactor()
    redactor.learn_address(URL)
    assert redactor.text(f'{{"echo":"/{TOKEN}/json","app":"{GUID}"}}') == (
        f'{{"echo":"/{"*" * len(TOKEN)}/json","app":"{GUID}"}}'
    )
    assert redactor.address(URL) == "wss://ops.example.com:8182/***/***/json?defragment=1"
    assert redactor.address("wss://me:hunter2@h/x?token=abc&v=1") == "wss://***@h/x?token=***&v=1"
    assert redactor.address("wss://[::1/x") == ""


def test_all_but_the_secrets_stays_to_the_character() -> None:
    text = frame("x", ' "a" :1.0,"b":1e2,"tag":"loading_screen","client_id":"77" ,')
    assert cleaned(text) == text.replace(TOKEN, "*" * len(TOKEN)).replace(MARK, "0" * len(MARK))


def test_a_percent_encoded_frame_stays_percent_encoded() -> None:
    text = quote(frame("x", '"client_name":"Café",'), safe="")
    expected = text.replace(TOKEN, "x" * len(TOKEN)).replace(MARK, "0" * len(MARK))
    assert cleaned(text) == expected


def test_numbers_stay_numbers() -> None:
    assert json.loads(cleaned('{"token":123.5,"process_id":7,"mtkn":17}')) == {
        "token": 11111,
        "process_id": 7,
        "mtkn": 11,
    }


@pytest.mark.parametrize("word", ["string", "status", "true", "abc", "", "********"])
def test_an_innocent_word_under_a_telling_name_is_not_looked_for_elsewhere(word: str) -> None:
    other = f'{{"status":"{word}","string":"status"}}'
    assert cleaned(other, f'{{"password":"{word}","key":"{word}"}}') == other


def test_headers_are_learnt_by_their_names() -> None:
    redactor = Redactor()
    redactor.learn_header("authorization", f"Bearer {TOKEN}")
    redactor.learn_header("cookie", "theme=dark; sid=abcdef123456789")
    redactor.learn_header("user-agent", "Mozilla/5.0 something long")
    assert redactor.text(f'["{TOKEN}","abcdef123456789","Mozilla/5.0 something long","dark"]') == (
        f'["{"*" * len(TOKEN)}","{"*" * 15}","Mozilla/5.0 something long","dark"]'
    )


@given(st.text(max_size=300))
def test_any_text_is_taken_and_keeps_its_length(text: str) -> None:
    assert len(cleaned(text)) == len(text)


@given(
    st.recursive(
        st.text(max_size=8) | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    )
)
def test_json_without_telling_names_is_left_alone(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False), quote(json.dumps(value), safe="")):
        shown = cleaned(text)
        assert shown == text or _has_telling_name(value)


def _has_telling_name(value: object) -> bool:
    from atalaia.captures.model.secrets import is_secret_name

    if isinstance(value, dict):
        return any(is_secret_name(key) or _has_telling_name(item) for key, item in value.items())
    if isinstance(value, list):
        return any(map(_has_telling_name, value))
    return isinstance(value, str) and "=" in value
