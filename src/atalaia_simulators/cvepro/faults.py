"""The faults of the vendor's cloud. docs/integrations/cvepro-simulator.md has the same table."""

from collections.abc import Mapping
from typing import Any, Final

from atalaia_simulators import faults
from atalaia_simulators.faults import Known

KNOWN: Final[Known] = {
    "login_status": ("number", "the login answers with this HTTP status"),
    "login_error": ("text", "the login answers 200 with this `error` and no token"),
    "list_status": ("number", "all lists are answered with this HTTP status"),
    "list_error": ("text", "they are answered 200 with this `error` and nothing else"),
    "expire_token": ("flag", "at once: no token that was given out so far is good any more"),
    "token_life_s": ("number", "tokens given out from now on live so long"),
    "delay_ms": ("number", "each answer comes so much later"),
    "hang": ("flag", "requests are taken and never answered"),
    "empty": ("flag", "lists come with nothing in them"),
    "most": ("number", "lists hold at most so many items, whatever their `count` says"),
    "rename": ("names", "fields have other names: {old: new}"),
    "drop": ("texts", "these fields are not there"),
    "null": ("texts", "these fields are null"),
    "retype": ("texts", "these fields are of another type: a number as a text, anything else as a number"),
    "not_json": ("flag", "lists are answered with a page of HTML and status 200"),
    "clock_offset_s": ("signed", "its clock is so much ahead, or behind"),
    "duplicate": ("flag", "each transaction is in its list twice"),
    "late_s": ("number", "a transaction is in the list only so long after it began"),
    "late": ("fraction", "so large a share of the transactions is not in the list yet"),
    "shrunk": ("fraction", "so large a share of those that are over is told with 60 % of its energy"),
    "silent": ("texts", "these chargers have sent no heartbeat for a day"),
    "faulted": ("texts", "these chargers say Faulted"),
    "live_status": ("number", "the live connection is refused with this HTTP status"),
    "live_cut": ("flag", "at once: live connections are cut"),
    "live_silent": ("flag", "live connections stay open, and nothing comes over them any more"),
}
_PLAIN: Final = {"value", "times", "only"}


class Faults(faults.Faults):
    """Each can be narrowed to a path (its end) by `only`."""

    def __init__(self) -> None:
        super().__init__(KNOWN, scopes=("path",))

    def change(self, wanted: Any) -> None:
        """`rename` takes its names as they are; everywhere else an object is `{"value": …, "times": n}`."""
        names = wanted.get("rename") if isinstance(wanted, Mapping) else None
        if isinstance(names, dict) and not ("value" in names and set(names) <= _PLAIN):
            wanted = {**wanted, "rename": {"value": names}}
        super().change(wanted)
