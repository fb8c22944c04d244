"""Frames of the live connection: what is written is read again however it is cut, and what is none is refused in order."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.integrations.cvepro.cloud.stomp import BEAT, BadFrame, Frame, Frames, beats, encode

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
# What ends a frame has no place in its head, not even escaped.
HEADS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
KEYS = HEADS.filter(lambda key: key != "content-length")
COMMANDS = st.sampled_from(("SEND", "MESSAGE", "SUBSCRIBE", "ERROR", "RECEIPT"))
FRAMES = st.builds(Frame, COMMANDS, st.dictionaries(KEYS, HEADS, max_size=4), TEXTS)


def without_length(frame: Frame) -> Frame:
    return Frame(
        frame.command, {key: value for key, value in frame.headers.items() if key != "content-length"}, frame.body
    )


@given(st.lists(FRAMES, max_size=4), st.data())
def test_what_is_written_is_read_again_however_it_is_cut(sent: list[Frame], data: st.DataObject) -> None:
    text = "".join(BEAT + encode(frame) + "\r\n" for frame in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    reader = Frames()
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    found = [without_length(frame) for piece in pieces for frame in reader.feed(piece)]
    assert found == sent


@given(TEXTS | st.from_regex(r"(MESSAGE|CONNECTED)\n([a-z:\\-]*\n)*\n[a-z]*\x00?", fullmatch=True))
def test_whatever_comes_is_a_frame_or_refused(text: str) -> None:
    with suppress(BadFrame):
        for frame in Frames().feed(text):
            assert "\0" not in frame.command


@given(st.dictionaries(KEYS.filter(lambda key: not re.search(r"[\r\n:]", key)), st.just("value"), max_size=3))
def test_the_first_frames_are_not_escaped(headers: dict[str, str]) -> None:
    raw = encode(Frame("CONNECT", headers))
    assert raw.count("\\") == sum(key.count("\\") for key in headers)
    assert [dict(frame.headers) for frame in Frames().feed(raw)] == [headers]


def test_of_a_header_that_comes_twice_the_first_holds() -> None:
    (frame,) = Frames().feed("MESSAGE\nfoo:World\nfoo:Hello\n\n\0")
    assert frame.headers == {"foo": "World"}


def test_a_body_may_hold_what_ends_a_frame() -> None:
    (frame,) = Frames().feed("MESSAGE\r\ncontent-length:3\r\n\r\na\0b\0\n\n")
    assert (frame.body, frame.headers["content-length"]) == ("a\0b", "3")


@pytest.mark.parametrize(
    "raw",
    [
        "MESSAGE\0",
        "MESSAGE\nno colon\n\n\0",
        "MESSAGE\nkey:\\t\n\n\0",
        "MESSAGE\nkey:\\\n\n\0",
        "MESSAGE\ncontent-length:1\n\nab\0",
        "MESSAGE\ncontent-length:-1\n\nab\0",
        "MESSAGE\n\n" + "x" * (1 << 21),
    ],
)
def test_what_is_no_frame_is_refused(raw: str) -> None:
    with pytest.raises(BadFrame):
        list(Frames().feed(raw))


@pytest.mark.parametrize(
    ("told", "ours_s", "theirs_s"),
    [
        ("0,0", None, None),
        (None, None, None),
        ("often", None, None),
        ("5000,0", None, 10.0),
        ("0,20000", 20.0, None),
        ("15000,5000", 10.0, 15.0),
        ("-1,99999999999", 3600.0, None),
    ],
)
def test_beats_are_as_slow_as_the_slower_side(told: str | None, ours_s: float | None, theirs_s: float | None) -> None:
    assert beats(told, wish_ms=10_000) == (ours_s, theirs_s)
