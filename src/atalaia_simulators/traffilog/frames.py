"""Frames as the upstream takes and gives them: JSON text, in some deployments percent-encoded as a whole.

It is strict about types as the real one is: nearly every value is a string, and whatever is not as it should be is a 403.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

FORBIDDEN = ("403", "action forbidden")
UNKNOWN_ACTION = ("404", "action not found")
_FLOW_ID = re.compile(r"[0-9]{6}\Z")
_MTKN = re.compile(r"[0-9]{13,40}\Z")
_BARE = "-_.!~*'()"  # encodeURIComponent leaves these as they are

# What each action must have; all of it text but for NUMBERS. More texts are taken: other versions of the page send more.
REQUIRED: Mapping[str, str] = {
    "vcls_check_opr": "client_id vehicle_id client_name is_checked",
    "associate_vehicles_actions_opr": "client_id client_name action_source action_id call_num",
    "review_process_attributes": "client_id",
    "get_vcls_action_review_opr": "client_id client_name action_source",
    "get_vehicle_info": "vehicle_id client_id",
    "vehicle_subscribe": "vehicle_id object_type",
    "execute_action_opr": "client_id client_name vehicle_id process_id action_source tag comment toggle_check",
    "get_custom_command": "client_id",
    "add_remove_custom_command": "acknowledge_needed command_syntax action_value",
    "get_process_history": "client_id vehicle_id",
}
NUMBERS = frozenset({("execute_action_opr", "process_id")})


class Refused(Exception):
    """A request that is answered with an error; `value` is its action_value."""

    def __init__(self, value: str, description: str) -> None:
        super().__init__(f"{value} {description}")
        self.value = value
        self.description = description


@dataclass(slots=True)
class Request:
    """`is_percent` and `flow_id` say in which form it came."""

    is_percent: bool = False
    name: str = ""
    mtkn: str | None = None
    session_token: Any = None
    flow_id: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    fault: tuple[str, str] | None = None  # what is wrong with it


def read(raw: str) -> Request:
    """Read a frame; what is wrong with it stands in `fault`."""
    is_percent = raw.lstrip().startswith("%")
    request = Request(is_percent=is_percent)
    try:
        frame = json.loads(unquote(raw) if is_percent else raw, object_pairs_hook=_without_duplicates)
        _fill(request, frame)
        _check(request, frame)
    except Refused as refusal:
        request.fault = (refusal.value, refusal.description)
    except (ValueError, KeyError, TypeError, AttributeError):
        request.fault = FORBIDDEN
    return request


def _without_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def _fill(request: Request, frame: Mapping[str, Any]) -> None:
    action = frame["action"]
    holder = action if "mtkn" in action else frame
    mtkn = holder["mtkn"]
    request.mtkn = mtkn if isinstance(mtkn, str) else None
    request.session_token = holder.get("session_token")
    request.flow_id = action.get("flow_id")
    request.name = action["name"]
    request.parameters = action["parameters"]


def _check(request: Request, frame: Mapping[str, Any]) -> None:
    """Raises: Refused."""
    action, parameters = frame["action"], request.parameters
    is_whole = "mtkn" in action  # the form in which everything stands inside `action`
    if request.name not in REQUIRED:
        raise Refused(*UNKNOWN_ACTION)
    right = [
        request.mtkn is not None and _MTKN.match(request.mtkn),
        parameters.get("mtkn", None if is_whole else request.mtkn) == request.mtkn,
        parameters.get("_action_name", request.name) == request.name,
        _FLOW_ID.match(action["flow_id"]) if is_whole else "flow_id" not in action,
        isinstance(request.session_token, str),
        set(REQUIRED[request.name].split()) <= set(parameters),
        all(_is_typed(request.name, key, value) for key, value in parameters.items()),
    ]
    if not all(right):
        raise Refused(*FORBIDDEN)


def _is_typed(action: str, key: str, value: Any) -> bool:
    if (action, key) in NUMBERS:
        return type(value) is int
    return isinstance(value, str)


def answers(
    request: Request, turns: Iterator[int], *, value: str, description: str = "", data: Sequence[Any] = (), **more: Any
) -> str:
    """An answer. The real one puts `mtkn` at four places and `action_value` at two; `turns` goes through them."""
    turn = next(turns)
    properties: dict[str, Any] = {"action_name": request.name, "data": list(data)}
    frame: dict[str, Any] = {"response": {"properties": properties}, **more}
    if request.flow_id is not None:
        frame["response"]["flow_id"] = request.flow_id
    said = {"action_value": value} | ({"error_description": description} if description else {})
    (frame if turn % 2 else properties).update(said)
    _place_of_mtkn(frame, turn)["mtkn"] = request.mtkn
    return write(frame)


def _place_of_mtkn(frame: dict[str, Any], turn: int) -> dict[str, Any]:
    response: dict[str, Any] = frame["response"]
    match turn % 4:
        case 0:
            return _inner(response, "properties")
        case 1:
            return frame
        case 2:
            return response
        case _:
            return _inner(frame, "action")


def _inner(frame: dict[str, Any], key: str) -> dict[str, Any]:
    inner: dict[str, Any] = frame.setdefault(key, {})
    return inner


def raw_error(value: str, description: str) -> str:
    return write({"action_value": value, "error_description": description})


def push(data_source: str, item: Mapping[str, Any]) -> str:
    return write(
        {"response": {"properties": {"action_name": "refresh", "data_source": data_source, "data": [dict(item)]}}}
    )


def foreign(number: int) -> list[str]:
    """Frames that are nobody's here: an answer to another request, and a push of another kind."""
    other = Request(name="get_fleet_status", mtkn=f"{1_600_000_000_000 + number}000000")
    return [
        answers(other, itertools.count(number), value="0", data=[{"vehicle_id": "1"}]),
        push("UNIT_MESSAGES", {"vehicle_id": "1", "message": "position"}),
    ]


def write(frame: Mapping[str, Any]) -> str:
    return json.dumps(frame, separators=(",", ":"), ensure_ascii=False)


def encode(text: str, *, is_percent: bool, padding: int = 0) -> str:
    return (quote(text, safe=_BARE) if is_percent else text) + "\0" * padding
