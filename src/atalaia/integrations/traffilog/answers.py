"""What the other side says, read from the text of a frame: which request it answers, whether it worked, what is pushed.

Frames come as JSON text, percent-encoded as a whole in some deployments, and padded with NUL bytes now and then. Only
reading is forgiving: what is sent is compared to the byte (sdk.fidelity).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import msgspec

_SHOWN_CHARS = 500
SUCCESS = "0"
ALREADY_ASSIGNED = "1"
SLOT_BUSY = "8"
NOT_READY = "404"
_SESSION_WORDS = ("session", "token")
_REFUSED = frozenset({"401", "403"})
_PADDING = "\0 \t\r\n"
_PROGRESS = re.compile(r"(-?[0-9]{1,9}(?:\.[0-9]{1,30})?)\s*%?")


@dataclass(frozen=True, slots=True)
class Push:
    """One item of a UNIT_CONFIG_STATUS refresh. `progress` is None where it is empty: no news, not 0 and not done."""

    status: str
    progress: float | None
    type: str
    error: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A frame that came in. `action_value` is None where the frame says neither success nor error."""

    mtkn: str | None
    action_value: str | None
    description: str
    content: Any
    pushes: Sequence[Push] = ()

    @property
    def is_error(self) -> bool:
        return self.action_value is not None and self.action_value != SUCCESS

    @property
    def names_session(self) -> bool:
        """A refusal that is about the session, not about the payload."""
        words = self.description.lower()
        return self.action_value in _REFUSED and any(word in words for word in _SESSION_WORDS)


def decode(text: str) -> str:
    """The JSON text of a frame: NUL bytes cut off, percent-encoding undone."""
    plain = text.strip(_PADDING)
    if plain[:3].upper() in {"%7B", "%5B"}:
        plain = unquote(plain).strip(_PADDING)
    return plain


def read(text: str) -> Reading | None:
    """None for what isn't a JSON object: recorded, and nobody's answer."""
    content = _content(decode(text))
    if not isinstance(content, dict):
        return None
    response = _dict(content.get("response"))
    properties = _dict(response.get("properties"))
    return Reading(
        mtkn=_mtkn(content, response, properties),
        action_value=_text(content, "action_value") or _text(properties, "action_value") or None,
        description=_text(content, "error_description") or _text(properties, "error_description"),
        content=content,
        pushes=tuple(_pushes(properties)),
    )


def _content(text: str) -> Any:
    """JSON, also where a text in it was cut through a character (half a surrogate), or a number is none (NaN, 1e999)."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        pass
    except RecursionError:  # nothing but brackets
        return None
    try:
        whole = json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace")
        return json.loads(whole)
    except (ValueError, RecursionError):
        return None


def process_id(content: Any) -> str | None:
    """`process_id` as text: at the top, or in an item of `response.properties.data`."""
    properties = _dict(_dict(_dict(content).get("response")).get("properties"))
    for place in (_dict(content), properties, *_items(properties)):
        if found := _text(place, "process_id"):
            return found
    return None


def items(content: Any) -> list[Mapping[str, Any]]:
    """The objects of `response.properties.data`."""
    return list(_items(_dict(_dict(_dict(content).get("response")).get("properties"))))


def session_token(content: Any) -> str | None:
    """Of the answer to a login."""
    properties = _dict(_dict(_dict(content).get("response")).get("properties"))
    for place in (properties, *_items(properties)):
        if found := _text(place, "session_token"):
            return found
    return None


def _pushes(properties: Mapping[str, Any]) -> Iterator[Push]:
    if properties.get("action_name") != "refresh" or properties.get("data_source") != "UNIT_CONFIG_STATUS":
        return
    for item in _items(properties):
        yield push_of(item)


def push_of(item: Mapping[str, Any]) -> Push:
    """Also of an item of the history, which has the same words."""
    return Push(_text(item, "status"), progress_of(item.get("progress")), _text(item, "type"), _error_of(item))


def _error_of(item: Mapping[str, Any]) -> str:
    """An error is one whatever its type: an object is not read as none, and neither is `true`."""
    error = item.get("error")
    return _text(item, "error") or (json.dumps(error)[:_SHOWN_CHARS] if error else "")


def progress_of(value: Any) -> float | None:
    """Per cent; None for whatever is no plain number: nothing is concluded from `NaN` or `inf`."""
    found = _PROGRESS.fullmatch(str(value).strip())
    return float(found[1]) if found else None


def _mtkn(content: Mapping[str, Any], response: Mapping[str, Any], properties: Mapping[str, Any]) -> str | None:
    places = (content, properties, response, _dict(content.get("action")))
    return next((found for place in places if (found := _text(place, "mtkn"))), None)


def _text(place: Mapping[str, Any], name: str) -> str:
    value = place.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(properties: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    data = properties.get("data")
    for item in data if isinstance(data, list) else ():
        if isinstance(item, dict):
            yield item
