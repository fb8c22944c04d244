"""The API in OpenAPI's words."""

from collections.abc import Mapping
from typing import Any, Final

Schema = dict[str, Any]
MONEY: Final[Schema] = {"type": "string", "pattern": r"^-?[0-9]{1,15}(\.[0-9]{1,18})?$", "examples": ["12.50"]}
TEXT: Final[Schema] = {"type": "string"}
FLAG: Final[Schema] = {"type": "boolean"}
NUMBER: Final[Schema] = {"type": "integer"}
INSTANT: Final[Schema] = {"type": "string", "format": "date-time"}
MAYBE_TEXT: Final[Schema] = {"type": ["string", "null"]}
MAYBE_MONEY: Final[Schema] = {"type": ["string", "null"], "examples": ["12.50"]}
ERROR: Final[Schema] = {"type": "object", "properties": {"error": {"type": "object"}}, "required": ["error"]}
_WHY: Final = {
    400: "Not JSON",
    401: "Not signed in",
    403: "Not allowed",
    404: "There is no such one",
    409: "Not in the state that it is in now",
    413: "The body is too large",
    422: "A field is wrong: `error.field` names it",
    503: "The exchange, or the store, can't be asked now",
}


def described(
    summary: str,
    *,
    answer: Schema | None = None,
    status: int = 200,
    body: Schema | None = None,
    fails: tuple[int, ...] = (),
    query: Mapping[str, str] | None = None,
    kind: str = "application/json",
) -> dict[str, Any]:
    """`query`: parameters with what they say."""
    done: dict[str, Any] = {"description": "Done"}
    if answer is not None:
        done["content"] = {kind: {"schema": answer}}
    found: dict[str, Any] = {
        "summary": summary,
        "responses": {
            str(status): done,
            **{str(code): failed(code) for code in (401, 403, *fails, *((400, 413, 422) if body else ()), 503)},
        },
    }
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    if query:
        found["parameters"] = [
            {"name": name, "in": "query", "required": False, "description": words, "schema": TEXT}
            for name, words in query.items()
        ]
    return found


def failed(status: int) -> dict[str, Any]:
    return {"description": _WHY[status], "content": {"application/json": {"schema": ERROR}}}


def fields(optional: Mapping[str, Schema] | None = None, /, **required: Schema) -> Schema:
    """An object; what is not `required` stands in `optional`."""
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


def body(optional: Mapping[str, Schema] | None = None, /, **required: Schema) -> Schema:
    """The same, and nothing else is taken."""
    return {**fields(optional, **required), "additionalProperties": False}


def listing(item: Schema) -> Schema:
    return fields(items={"type": "array", "items": item}, next=MAYBE_TEXT)


ACCOUNT: Final = fields(id=TEXT, name=TEXT, key_end=TEXT, operations=NUMBER, created_at=INSTANT)
_WISHES: Final = {"profit_target": MONEY, "stop_loss": MAYBE_MONEY, "trailing": MAYBE_MONEY, "gross": FLAG}
_LEG: Final[Schema] = {**fields(amount=MONEY, entry=MONEY, pnl=MONEY), "type": ["object", "null"]}
_RESULT: Final[Schema] = {
    **fields(
        mark=MONEY,
        gross=MONEY,
        fees=MAYBE_MONEY,
        funding=MAYBE_MONEY,
        net=MAYBE_MONEY,
        basis=MONEY,
        long=_LEG,
        short=_LEG,
    ),
    "type": ["object", "null"],
}
OPERATION: Final = fields(
    {
        "peak": MAYBE_MONEY,
        "undecided": MAYBE_TEXT,
        "would_close": MAYBE_TEXT,
        "wanted": MAYBE_TEXT,
        "reason": MAYBE_TEXT,
        "retry_at": MAYBE_TEXT,
        "changed_at": MAYBE_TEXT,
        "updated_at": INSTANT,
        "failures": NUMBER,
    },
    id=TEXT,
    name=TEXT,
    account=TEXT,
    account_id=TEXT,
    symbol=TEXT,
    state={"type": "string", "enum": ["active", "closing", "partially_closed", "closed"]},
    standing=TEXT,
    auto_close_enabled=FLAG,
    dry_run=FLAG,
    **_WISHES,
    current_pnl=MAYBE_MONEY,
    ratio=MAYBE_MONEY,
    distance=MAYBE_MONEY,
    result=_RESULT,
    opened_at=INSTANT,
)
TRADE: Final = fields(
    id=TEXT,
    name=TEXT,
    account=TEXT,
    account_id=TEXT,
    symbol=TEXT,
    state=TEXT,
    reason={"type": "string", "enum": ["target", "stop_loss", "trailing", "by_hand", "panic"]},
    **_WISHES,
    realised={**MONEY, "description": "Before anything was paid"},
    fees=MONEY,
    other_fees={"type": "object", "description": "Paid in another asset: by asset"},
    funding=MONEY,
    net=MONEY,
    basis={**MONEY, "description": "What both legs cost"},
    ratio=MAYBE_MONEY,
    legs={"type": "array", "items": {"type": "object"}},
    fills={"type": "array", "items": {"type": "object"}},
    opened_at=INSTANT,
    closed_at=INSTANT,
)
_TOTAL: Final[dict[str, Schema]] = {
    "count": NUMBER,
    "won": NUMBER,
    "realised": MONEY,
    "fees": MONEY,
    "funding": MONEY,
    "net": MONEY,
}
HISTORY: Final = fields(
    items={"type": "array", "items": TRADE},
    next=MAYBE_TEXT,
    totals=fields(
        **_TOTAL,
        by_day={"type": "array", "items": fields(day=TEXT, **_TOTAL)},
        by_symbol={"type": "array", "items": fields(symbol=TEXT, **_TOTAL)},
        by_account={"type": "array", "items": fields(account=TEXT, **_TOTAL)},
    ),
)
_WISHED: Final[dict[str, Schema]] = {
    "stop_loss": {**MAYBE_MONEY, "description": "A loss, given positive"},
    "trailing": {**MAYBE_MONEY, "description": "Closed once it has fallen by this from its highest beyond the target"},
    "gross": {**FLAG, "description": "Fees and funding are left out of the decision"},
    "dry_run": {**FLAG, "description": "It says what it would do, and sends nothing"},
    "name": TEXT,
}
NEW_OPERATION: Final = body(
    _WISHED,
    account={**TEXT, "description": "Id or name"},
    symbol={**TEXT, "examples": ["BTCUSDT"]},
    profit_target=MONEY,
    auto_close_enabled=FLAG,
)
CHANGE: Final = body({**_WISHED, "profit_target": MONEY, "auto_close_enabled": FLAG})
NEW_ACCOUNT: Final = body(name=TEXT, api_key=TEXT, api_secret=TEXT)
HISTORY_QUERY: Final = {
    "day": "A day, as 2026-01-31",
    "since": "The first day, or an instant",
    "until": "The last day, or the instant before which",
    "symbol": "As BTCUSDT",
    "account": "Its name or id",
    "tz": "The time zone that days are of; the asker's own, else UTC",
}
PAGE_QUERY: Final = {"limit": "How many at once, 50", "cursor": "`next` of the page before"}
