"""HAR: messages to the character, sanitised exports noticed, what is no HAR refused in words."""

import base64
import json

import pytest

from atalaia.captures.model.importing import read_recording
from atalaia.captures.model.recordings import CaptureRefused
from tests.unit.captures.recorded import (
    COOKIE,
    SECRETS,
    TOKEN,
    frame,
    har,
    login_entry,
    message,
    redacted,
    socket_entry,
    whole_har,
)


def test_every_message_is_there_with_direction_time_and_action() -> None:
    recording = read_recording(whole_har())
    assert recording.format == "har"
    assert recording.browser == "WebInspector 537.36"
    assert [(each.direction, each.via, each.action) for each in recording.frames] == [
        ("sent", "http", "user_login"),
        ("received", "http", "user_login"),
        ("sent", "socket", "vcls_check_opr"),
        ("received", "socket", "vcls_check_opr"),  # told by its mtkn
        ("sent", "socket", "vcls_check_opr"),
        ("received", "socket", "refresh"),
    ]
    first = recording.frames[2]
    assert first.at is not None
    assert first.at.isoformat() == "2024-11-22T10:06:40.500000+00:00"
    assert (first.flow_id, first.n) == ("612345", 3)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "yesterday", ""])
def test_an_instant_that_is_none_is_left_out(at: str) -> None:
    """One before the first instant there is was an error of the hub's own."""
    recording = read_recording(har({**login_entry(), "startedDateTime": at}))
    assert [frame.at for frame in recording.frames] == [None, None]


def test_a_message_stays_as_it_was_but_for_its_secrets() -> None:
    odd = frame("x", ' "a" :1.0,"b":1e2 ,"a":"caf\\u00e9 \\/","c":  [1,  1.10],')
    recording = read_recording(har(socket_entry([message(odd)])))
    assert recording.frames[0].text == redacted(odd)


def test_no_secret_is_left_of_login_cookie_address_and_frames() -> None:
    recording = read_recording(whole_har())
    text = repr(recording)
    assert [secret for secret in SECRETS if secret in text] == []
    assert recording.frames[2].address == "wss://ops.example.com:8182/***/***/json?defragment=1"


def test_a_binary_message_that_is_text_is_read_and_another_is_left_out() -> None:
    packed = message(base64.b64encode(frame("a").encode()).decode(), opcode=2)
    image = message(base64.b64encode(b"\xff\xd8\xff\x00").decode(), opcode=2)
    recording = read_recording(har(socket_entry([packed, image, message("", opcode=9)])))
    assert [each.text for each in recording.frames] == [redacted(frame("a"))]
    assert [note.text for note in recording.notes] == ["A binary message was left out."]


def test_an_export_without_messages_is_refused_with_what_to_do() -> None:
    with pytest.raises(CaptureRefused, match="sanitised") as caught:
        read_recording(har(socket_entry(None, cookie=False)))
    assert "sensitive data" in str(caught.value.hint)


def test_an_export_whose_messages_were_emptied_is_refused_too() -> None:
    with pytest.raises(CaptureRefused, match="sanitised"):
        read_recording(har(socket_entry([{"type": "send", "time": 1, "opcode": 1}], cookie=False)))


def test_without_any_socket_a_sanitised_export_is_named_as_a_likely_cause() -> None:
    page = {"request": {"method": "GET", "url": "https://ops.example.com/"}, "response": {"status": 200}}
    with pytest.raises(CaptureRefused, match="looks like Chrome's sanitised"):
        read_recording(har(page))
    with pytest.raises(CaptureRefused, match="no WebSocket and no action"):
        read_recording(har({**page, "request": {"url": "https://x/", "cookies": [{"name": "a", "value": "b"}]}}))


def test_a_socket_that_was_open_before_the_panel_is_told_apart() -> None:
    with pytest.raises(CaptureRefused, match="open before the panel"):
        read_recording(har(socket_entry([])))


def test_frames_of_a_sanitised_export_are_taken_and_that_is_noted() -> None:
    recording = read_recording(har(socket_entry([message(frame("a"))], cookie=False)))
    assert len(recording.frames) == 1
    assert "sanitised" in recording.notes[0].text


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"log": {"entries": [{"request": {"url": "https://x/' + TOKEN.encode(), "cut off"),
        (b'{"log": {"entries": 5}}', "no HAR file"),
        (b'{"log": {}}', "no HAR file"),
        (b"GIF89a", "neither HAR"),
        (b"", "neither HAR"),
        (b"\x1f\x8b\x08\x00", "packed"),
        (b'{"log": ' + b"[" * 100_000, "no HAR file"),
    ],
)
def test_what_is_no_har_is_refused_without_a_word_of_its_content(data: bytes, why: str) -> None:
    with pytest.raises(CaptureRefused, match=why) as caught:
        read_recording(data)
    assert TOKEN not in str(caught.value)
    assert TOKEN not in repr(caught.value.params)


def test_a_byte_order_mark_and_half_surrogates_are_read() -> None:
    entry = socket_entry([message(frame("a", '"comment":"\ud83d",'))])
    recording = read_recording(b"\xef\xbb\xbf" + har(entry))
    assert "\ud83d" in recording.frames[0].text


def test_a_cookie_is_taken_out_wherever_it_stands() -> None:
    echoed = frame("a", f'"comment":"{COOKIE}","lang":"pt-BR",')
    recording = read_recording(har(login_entry(), socket_entry([message(echoed)])))
    assert COOKIE not in recording.frames[2].text
    assert '"lang":"pt-BR"' in recording.frames[2].text


def test_firefox_times_in_milliseconds_are_the_same_instant() -> None:
    entry = json.loads(har(socket_entry([message(frame("a"), time=1732270000500)])))
    recording = read_recording(json.dumps(entry).encode())
    assert recording.frames[0].at is not None
    assert recording.frames[0].at.isoformat() == "2024-11-22T10:06:40.500000+00:00"


def test_an_address_is_made_fit_for_any_database() -> None:
    recording = read_recording(har(socket_entry([message(frame("a"))], url="wss://ops.example.com/a\x00b\ud83d/json")))
    assert recording.frames[0].address == "wss://ops.example.com/ab?/json"
