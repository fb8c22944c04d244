"""Codes and words of the exchange. Source: its published list of error codes, and what clients have seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

BAD_REQUEST: Final = 400
UNAUTHORIZED: Final = 401
TIMED_OUT: Final = 408
TOO_MANY: Final = 429
BANNED: Final = 418
UNAVAILABLE: Final = 503

TEXTS: Final[Mapping[int, str]] = {
    -1007: "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    -1008: "Server is currently overloaded with other requests. Please try again in a few minutes.",
    -1021: "Timestamp for this request is outside of the recvWindow.",
    -1022: "Signature for this request is not valid.",
    -1101: "Duplicate values for a parameter detected.",
    -1111: "Precision is over the maximum defined for this asset.",
    -1115: "Invalid timeInForce.",
    -1116: "Invalid orderType.",
    -1117: "Invalid side.",
    -1121: "Invalid symbol.",
    -1131: "recvWindow must be less than 60000",
    -2011: "Unknown order sent.",
    -2013: "Order does not exist.",
    -2014: "API-key format invalid.",
    -2015: "Invalid API-key, IP, or permissions for action.",
    -2019: "Margin is insufficient.",
    -2022: "ReduceOnly Order is rejected.",
    -2027: "Exceeded the maximum allowable position at current leverage.",
    -4003: "Quantity less than or equal to zero.",
    -4005: "Quantity greater than max quantity.",
    -4014: "Price not increased by tick size.",
    -4015: "Client order id is not valid.",
    -4023: "Qty not increased by step size.",
    -4028: "Leverage is not valid.",
    -4046: "No need to change margin type.",
    -4059: "No need to change position side.",
    -4060: "Invalid position side.",
    -4061: "Order's position side does not match user's setting.",
    -4067: "Position side cannot be changed if there exists open orders.",
    -4068: "Position side cannot be changed if there exists position.",
    -4116: "ClientOrderId is duplicated.",
    -4118: "ReduceOnly Order Failed. Please check your existing position and open orders.",
    -4120: "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
    -4164: "Order's notional must be no smaller than {least} (unless you choose reduce only).",
    -4165: "Maximum time interval is 7 days.",
    -5000: "Path {path}, Method {method} is invalid",
    -5021: "Due to the order could not be filled immediately, the FOK order has been rejected.",
    -5022: "Due to the order could not be executed as maker, the Post Only order will be rejected.",
}
_STATUS: Final[Mapping[int, int]] = {
    -1007: TIMED_OUT,
    -1008: UNAVAILABLE,
    -2014: UNAUTHORIZED,
    -2015: UNAUTHORIZED,
    -5000: 404,
}
UNKNOWN_OUTCOME: Final = "Unknown error, please check your request or try again later."
NOT_DONE: Final = "Service Unavailable."


@dataclass
class Refusal(Exception):
    """An answer that says no. Without a code it has none in its body either."""

    code: int | None
    message: str
    status: int = BAD_REQUEST
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, int | str]:
        return {"msg": self.message} if self.code is None else {"code": self.code, "msg": self.message}


def refused(code: int, **words: object) -> Refusal:
    return Refusal(code, TEXTS[code].format(**words), _STATUS.get(code, BAD_REQUEST))


def missing(name: str) -> Refusal:
    return Refusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def not_required(name: str) -> Refusal:
    return Refusal(-1106, f"Parameter '{name}' sent when not required.")


def illegal(name: str, legal: str) -> Refusal:
    return Refusal(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")
