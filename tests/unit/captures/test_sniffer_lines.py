"""Lines of the sniffer, as consoles save them."""

import json

import pytest

from atalaia.captures.model.importing import read_recording
from atalaia.captures.model.recordings import CaptureRefused
from atalaia.captures.model.snippet import snippet
from atalaia.core.errors import InvalidField
from tests.unit.captures.recorded import TOKEN, URL, frame, redacted


def line(raw: str, **fields: object) -> str:
    whole = {
        "atalaia_capture": 1,
        "at": 1732270000500,
        "via": "socket",
        "direction": "sent",
        "address": URL,
        "raw": raw,
    }
    return json.dumps({**whole, **fields}, separators=(",", ":"))


def test_lines_are_read_with_what_a_console_puts_around_them() -> None:
    text = "\n".join(
        [
            "Atalaia's sniffer listens.",
            f"VM123:88 {line(frame('a'), browser='Mozilla/5.0')}",
            f"{line(frame('b'))} @ app.js:7",
            "something else {}",
            line(frame("c"), via="http"),
        ]
    )
    recording = read_recording(text.encode())
    assert recording.format == "sniffer"
    assert recording.browser == "Mozilla/5.0"
    assert [(each.action, each.via) for each in recording.frames] == [("a", "socket"), ("b", "socket"), ("c", "http")]


def test_a_secret_that_a_changed_snippet_printed_is_taken_out() -> None:
    recording = read_recording(line(frame("a")).encode())
    assert recording.frames[0].text == redacted(frame("a"))
    assert TOKEN not in repr(recording)


def test_lines_that_were_cut_off_are_left_out_and_counted() -> None:
    whole = line(frame("a"))
    recording = read_recording(f"{whole}\n{whole[:60]}\n{whole[:90]}".encode())
    assert len(recording.frames) == 1
    assert (recording.notes[0].text[:3], recording.notes[0].params) == ("{n}", {"n": 2})


def test_a_file_with_broken_lines_alone_is_refused() -> None:
    with pytest.raises(CaptureRefused, match="no line of the sniffer") as caught:
        read_recording(line(frame("a"))[:80].encode())
    assert "capture sniffer" in str(caught.value.hint)


def test_the_snippet_looks_for_the_keys_that_are_wanted() -> None:
    assert 'const KEYS = ["action"];' in snippet()
    assert 'const KEYS = ["op","data.x"];' in snippet(["op", "data.x"])
    with pytest.raises(InvalidField):
        snippet(['"];alert(1);["'])
