"""Frames as browsers and others write them, and hypothesis strategies that make more of the kind."""

import json
from urllib.parse import quote

from hypothesis import settings
from hypothesis import strategies as st

# No deadline: other tests run beside these. Frames take a while to make up.
UNHURRIED = settings(deadline=None, max_examples=60)
NAME = "associate_vehicles_actions_opr"
MTKN = "1763812345678123456"
TOKEN = "Xy1" * 14
WITH_FLOW_ID = (
    '{"action":{"flow_id":"612345","name":"' + NAME + '","parameters":{"client_id":"77","client_name":"Frota Sul",'
    '"action_source":"0","action_id":"1","call_num":"0","tag":"loading_screen","_action_name":"' + NAME + '",'
    '"mtkn":"' + MTKN + '"},"session_token":"' + TOKEN + '","mtkn":"' + MTKN + '"}}'
)
BESIDE = (
    '{"action":{"name":"' + NAME + '","parameters":{"client_id":"77","call_num":"0","_action_name":"' + NAME + '",'
    '"mtkn":"' + MTKN + '"}},"mtkn":"' + MTKN + '","session_token":"' + TOKEN + '"}'
)
VARIABLES = {"parameters.client_id": "client_id", "parameters.client_name": "client_name"}
VALUES = {
    "client_id": "78",
    "client_name": "Frota Norte",
    "mtkn": "1763812345999000111",
    "flow_id": "612346",
    "session_token": "Zz9" * 14,
}


def percent(text: str) -> str:
    """As encodeURIComponent does."""
    return quote(text, safe="-_.!~*'()")


def with_plus(text: str) -> str:
    return percent(text).replace("%20", "+")


spaces = st.sampled_from(["", "", "", " ", "\n", "\t ", "\r\n"])
texts = st.text(max_size=8)


@st.composite
def strings(draw: st.DrawFn) -> str:
    """A string token in one of the ways to write it, mixed at will."""
    parts = []
    for character in draw(texts):
        ways = [json.dumps(character, ensure_ascii=False)[1:-1], json.dumps(character)[1:-1]]
        if character == "/":
            ways.append("\\/")
        if ord(character) < 0x10000:
            ways += [f"\\u{ord(character):04x}", f"\\u{ord(character):04X}"]
        parts.append(draw(st.sampled_from(ways)))
    return '"' + "".join(parts) + '"'


numbers = st.from_regex(
    r"-?(0|[1-9][0-9]{0,6})(\.[0-9]{1,4})?([eE][+-]?[0-9]{1,3})?", fullmatch=True, alphabet="0123456789.eE+-"
)
scalars = st.one_of(
    strings(), numbers, st.sampled_from(["true", "false", "null", '"0"', "0", "1", '"1"', "1.0", "1e0"])
)
keys = st.one_of(
    strings(),
    st.sampled_from(['"mtkn"', '"session_token"', '"password"', '"action"', '"name"', '"call_num"', '"a.b"', '"data"']),
)


@st.composite
def objects(draw: st.DrawFn, values: st.SearchStrategy[str] = scalars) -> str:
    members = draw(st.lists(st.tuples(spaces, keys, spaces, spaces, values, spaces), max_size=4))
    return "{" + draw(spaces) + ",".join(f"{a}{key}{b}:{c}{value}{d}" for a, key, b, c, value, d in members) + "}"


@st.composite
def arrays(draw: st.DrawFn, values: st.SearchStrategy[str] = scalars) -> str:
    return "[" + draw(spaces) + ",".join(draw(st.lists(values, max_size=4))) + draw(spaces) + "]"


documents = st.recursive(scalars, lambda inner: st.one_of(objects(inner), arrays(inner)), max_leaves=12)


@st.composite
def frames(draw: st.DrawFn) -> str:
    """A frame of either form, plain or percent-encoded in one of several ways."""
    parameters, name = draw(objects(documents)), draw(strings())
    inside, beside = draw(
        st.sampled_from(
            [
                (f',"session_token":"{TOKEN}","mtkn":"{MTKN}"', ""),
                ("", f',"mtkn":"{MTKN}","session_token":"{TOKEN}"'),
            ]
        )
    )
    text = f'{{"action":{{"flow_id":"612345","name":{name},"parameters":{parameters}{inside}}}{beside}}}'
    encode = draw(st.sampled_from([lambda it: it, percent, lambda it: quote(it, safe=""), with_plus]))
    frame: str = encode(text)
    return frame
