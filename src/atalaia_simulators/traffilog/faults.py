"""The faults that a test, or a person, turns on while the simulator runs."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Shape = Literal["flag", "number", "text", "texts"]

# Name -> what it takes, and what it does. docs/integrations/traffilog-simulator.md has the same table.
KNOWN: Mapping[str, tuple[Shape, str]] = {
    "wrong_type_403": ("flag", 'every request is answered 403 "action forbidden", as if a type were wrong'),
    "answer_delay_ms": ("number", "each answer comes so much later"),
    "answer_late": ("number", "each answer comes so many seconds later: longer than the client waits (true: 60)"),
    "reorder_answers": ("flag", "of two answers the later one is sent first"),
    "mute": ("texts", "these actions are not answered"),
    "cut_after_frame": ("number", "a socket is cut after its n-th frame was received and answered"),
    "cut_after_execute": ("flag", "the socket is cut after execute was done, before its answer"),
    "cut_before_execute": ("flag", "the socket is cut when execute arrives, and it is not done"),
    "review_404": ("number", "the first n reviews of a process are not ready"),
    "slot_busy": ("flag", 'associate answers "8": the review slot is busy'),
    "silent_unit": ("flag", "the unit never reports, and never ends"),
    "empty_progress": ("flag", "pushes carry an empty progress"),
    "push_status": ("text", "half way the unit ends with this status: Disconnected, Retry, Batch Timeout, Error, …"),
    "push_error": ("text", "half way the unit ends with this error text"),
    "token_expired": ("flag", "at once: every token given out so far has expired"),
    "session_rejected": ("flag", "handshakes and requests are refused with a 403 that names the session"),
    "token_life_s": ("number", "tokens given out from now on live so long"),
    "token_in_data": ("flag", "the login answers with the token in data[0]"),
    "short_token": ("flag", "the login answers with a token that is too short to be one"),
    "login_refused": ("flag", "the login says that name or password is wrong"),
    "login_status": ("number", "the login answers with this HTTP status"),
    "login_empty_body": ("flag", "the login answers 200 with nothing in it"),
    "login_delay_ms": ("number", "the login answers so much later"),
    "raw_error_without_mtkn": ("flag", "every error comes raw, without mtkn"),
    "percent_encode": ("flag", "every frame goes out percent-encoded, whatever form the request had"),
    "fragment": ("flag", "every frame goes out in three fragments"),
    "nul_padding": ("number", "every frame has so many NUL bytes behind it (true: 4)"),
    "interleave_foreign_frames": ("flag", "answers to others and other pushes come before each answer"),
    "progress_step": ("number", "per cent between two pushes"),
    "progress_interval_s": ("number", "seconds between two pushes"),
    "only_actions": (
        "texts",
        "wrong_type_403, answer_delay_ms, answer_late, session_rejected, raw_error_without_mtkn: for these alone",
    ),
}
_TRUE_MEANS: Mapping[str, float] = {"answer_late": 60, "nul_padding": 4, "review_404": 1, "cut_after_frame": 1}
_EXPECTED: Mapping[Shape, str] = {
    "flag": "true or false",
    "number": "a number that is not negative",
    "text": "a text",
    "texts": "a list of texts",
}


class BadFault(Exception):
    """A fault that there is not, or a value that it does not take."""


@dataclass(slots=True)
class _Fault:
    value: Any
    left: int | None  # how many times it still strikes; None: until it is cleared


class Faults:
    def __init__(self) -> None:
        self._on: dict[str, _Fault] = {}

    def change(self, wanted: Any) -> None:
        """Nothing clears all; false or null clears one; `{"value": …, "times": n}` strikes n times. Raises: BadFault."""
        if not isinstance(wanted, dict):
            raise BadFault("faults are an object: {name: value, …}")
        checked = {name: _checked(name, value) for name, value in wanted.items()}
        if not wanted:
            self._on.clear()
        for name, fault in checked.items():
            if fault is None:
                self._on.pop(name, None)
            else:
                self._on[name] = fault

    def shown(self) -> dict[str, Any]:
        return {
            name: fault.value if fault.left is None else {"value": fault.value, "times": fault.left}
            for name, fault in self._on.items()
        }

    def look(self, name: str, default: Any = None) -> Any:
        """Its value, without a strike being counted."""
        fault = self._on.get(name)
        return default if fault is None else fault.value

    def strike(self, name: str, action: str | None = None) -> Any:
        """Its value where it is on, counted as one strike; None where it is not, or not for this action."""
        fault = self._on.get(name)
        only = self.look("only_actions")
        if fault is None or (action is not None and only and action not in only):
            return None
        if fault.left is not None:
            fault.left -= 1
            if fault.left <= 0:
                del self._on[name]
        return fault.value


def _checked(name: str, value: Any) -> _Fault | None:
    if name not in KNOWN:
        near = difflib.get_close_matches(name, KNOWN, n=1, cutoff=0)
        raise BadFault(f"there is no fault {name!r}; the nearest is {near[0]!r}")
    left = None
    if isinstance(value, dict):
        if not set(value) <= {"value", "times"} or not _is_count(value.get("times", 1)):
            raise BadFault(f'{name}: an object is {{"value": …, "times": n}}')
        left = value.get("times")
        value = value.get("value", True)
    if value is None or value is False:
        return None
    if value is True and name in _TRUE_MEANS:
        value = _TRUE_MEANS[name]
    if not _fits(KNOWN[name][0], value):
        raise BadFault(f"{name} takes {_EXPECTED[KNOWN[name][0]]}")
    return _Fault(value, left)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _fits(shape: Shape, value: Any) -> bool:
    match shape:
        case "flag":
            return value is True
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        case "text":
            return isinstance(value, str)
        case "texts":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
