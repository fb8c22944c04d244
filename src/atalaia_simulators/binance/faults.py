"""The faults of the exchange. docs/integrations/binance-simulator.md has the same table."""

from collections.abc import Mapping
from typing import Any, Final

from atalaia_simulators import faults
from atalaia_simulators.binance.errors import TEXTS
from atalaia_simulators.faults import BadFault, Known

LEGS: Final = ("LONG", "SHORT")
REFUSAL: Final = -2022

KNOWN: Final[Known] = {
    "order_503_done": ("flag", "the order is done, and answered with 503 Unknown error"),
    "order_503_not_done": ("flag", "the order is not done, and answered with 503 Unknown error"),
    "order_1007_done": ("flag", "the order is done, and answered with −1007"),
    "order_1007_not_done": ("flag", "the order is not done, and answered with −1007"),
    "refuse_leg": (LEGS, "orders of this leg are refused, with −2022 or another `code`"),
    "timeout_after_accept": ("number", "the order is done, and not answered for so many seconds (true: 60)"),
    "timeout_before_accept": ("number", "the order is not done, and not answered for so many seconds (true: 60)"),
    "cut_after_accept": ("flag", "the order is done, and the connection cut"),
    "cut_before_accept": ("flag", "the order is not done, and the connection cut"),
    "late_accept_s": ("number", "answered with 503 Unknown error, and done so many seconds later"),
    "partial_fill": ("fraction", "a market order is filled up to this part, and the rest expires"),
    "duplicate_client_id": ("flag", "the order is refused with −4116"),
    "no_avg_price": ("flag", "the answer to an order lacks avgPrice and cumQuote"),
    "unseen_s": ("number", "orders, trades and income younger than this are not there yet when asked for"),
    "overloaded": ("flag", "503 with −1008, not done"),
    "service_unavailable": ("flag", "503 Service Unavailable., not done"),
    "key_refused": ("flag", "signed requests are refused with −2015"),
    "clock_skew_ms": ("signed", "its clock is so much ahead, or behind"),
    "ban_s": ("number", "from the next request on the address is banned for so long: 418"),
    "rate_limit_s": ("number", "from the next request on the address has to wait for so long: 429"),
    "stale_price_s": ("number", "prices are so old by their `time`"),
    "answer_delay_ms": ("number", "each answer comes so much later"),
    "changed_shape": ("flag", "answers come in another form than ever"),
}
_TRUE_MEANS: Final[Mapping[str, Any]] = {"timeout_after_accept": 60, "timeout_before_accept": 60}


class Faults(faults.Faults):
    """Each can be narrowed: `only` a symbol, leg, method, end of the path, or account."""

    def __init__(self) -> None:
        super().__init__(
            KNOWN,
            true_means=_TRUE_MEANS,
            scopes=("symbol", "position_side", "path", "method", "api_key"),
            extras={"refuse_leg": {"code": "signed"}},
        )

    def change(self, wanted: Any) -> None:
        refusal = wanted.get("refuse_leg") if isinstance(wanted, dict) else None
        if isinstance(refusal, dict) and refusal.get("code", REFUSAL) not in TEXTS:
            raise BadFault(f"refuse_leg: the codes that there are: {', '.join(map(str, TEXTS))}")
        super().change(wanted)
