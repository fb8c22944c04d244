"""The faults of the Evolution API. docs/integrations/evolution-simulator.md has the same table."""

from typing import Any, Final

from atalaia_simulators import faults
from atalaia_simulators.faults import BadFault, Known

STATES: Final = ("open", "connecting", "close")
_ERRORS: Final = range(400, 600)

KNOWN: Final[Known] = {
    "status": ("number", "every request is answered with this HTTP status, and nothing is sent"),
    "delay_ms": ("number", "each answer comes so much later; what it tells is done before"),
    "not_on_whatsapp": ("texts", "these numbers are not on WhatsApp"),
    "state": (STATES, "the state of the connection to WhatsApp; nothing is sent unless it is open"),
    "fail_after_send": ("flag", "the message goes out, and is answered with 400"),
    "fail_before_send": ("flag", "the same answer, and the message does not go out"),
    "cut_after_send": ("flag", "the message goes out, and the connection is cut"),
    "cut_before_send": ("flag", "the connection is cut, and the message does not go out"),
    "changed_shape": ("flag", "answers come in another form than ever"),
}


class Faults(faults.Faults):
    """Each can be narrowed: `only` a number, method or end of the path."""

    def __init__(self) -> None:
        super().__init__(KNOWN, scopes=("number", "method", "path"))

    def change(self, wanted: Any) -> None:
        given = wanted.get("status") if isinstance(wanted, dict) else None
        value = given.get("value") if isinstance(given, dict) else given
        if value and (not isinstance(value, int) or value not in _ERRORS):
            raise BadFault("status takes an HTTP status from 400 to 599")
        super().change(wanted)
