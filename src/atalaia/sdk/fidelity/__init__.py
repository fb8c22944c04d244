"""Payload fidelity: frames are kept, made and compared by token and type, not by what a JSON parser makes of them.

    template = Template.from_sample(captured, {"parameters.client_id": "client_id"})
    text = render(template, {"client_id": "77", "mtkn": mtkn, "flow_id": flow_id, "session_token": token})
    check(template, text)  # FrameDeparts: parameters.call_num: captured string "0", would send number 0

Pure, without input or output. What a template remembers of a secret is its length and class.
"""

from atalaia.sdk.fidelity.checking import check, departures, diff, nearest, values_of
from atalaia.sdk.fidelity.departures import Departure
from atalaia.sdk.fidelity.frames import Frame, open_frame, plain_text
from atalaia.sdk.fidelity.learning import learn, without_secrets
from atalaia.sdk.fidelity.rendering import FrameDeparts, RawNumber, Value, WireToken, render
from atalaia.sdk.fidelity.slots import MAKERS, Maker, Slot
from atalaia.sdk.fidelity.templates import Template, TemplateMismatch, action_of
from atalaia.sdk.fidelity.tokens import Member, Node, NotJson, decode_string, parse

__all__ = [
    "MAKERS",
    "Departure",
    "Frame",
    "FrameDeparts",
    "Maker",
    "Member",
    "Node",
    "NotJson",
    "RawNumber",
    "Slot",
    "Template",
    "TemplateMismatch",
    "Value",
    "WireToken",
    "action_of",
    "check",
    "decode_string",
    "departures",
    "diff",
    "learn",
    "nearest",
    "open_frame",
    "parse",
    "plain_text",
    "render",
    "values_of",
    "without_secrets",
]
