"""The faults of the fleet platform."""

from collections.abc import Mapping
from typing import Any

from atalaia_simulators import faults
from atalaia_simulators.faults import Known

# Name -> what it takes, and what it does. docs/integrations/traffilog-simulator.md has the same table.
KNOWN: Known = {
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


class Faults(faults.Faults):
    """Some of them can be for certain actions alone."""

    def __init__(self) -> None:
        super().__init__(KNOWN, true_means=_TRUE_MEANS)

    def strike_at(self, name: str, action: str) -> Any:
        """As `strike`, but None where it is not for this action."""
        only = self.look("only_actions")
        return None if only and action not in only else self.strike(name)
