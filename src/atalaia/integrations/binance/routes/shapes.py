"""What the API answers; every amount of money, price and quantity as decimal text."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from atalaia.core.formats import iso
from atalaia.integrations.binance.accounts import AccountView
from atalaia.integrations.binance.model.history import Trade
from atalaia.integrations.binance.model.legs import Intent
from atalaia.integrations.binance.model.money import as_json, plain
from atalaia.integrations.binance.model.operations import OperationEvent, Watched
from atalaia.integrations.binance.model.result import LegNow, Result
from atalaia.integrations.binance.model.verdicts import distance_of, ratio_of, verdict_of
from atalaia.integrations.binance.operations import Shown
from atalaia.integrations.binance.trades import Total


def account_out(account: AccountView) -> dict[str, Any]:
    """Never the key, never the secret."""
    return {
        "id": account.id,
        "name": account.name,
        "key_end": account.key_end,
        "operations": account.operations,
        "created_at": iso(account.created_at),
    }


def operation_out(shown: Shown) -> dict[str, Any]:
    watched = shown.watched
    operation, standing = watched.operation, watched.standing
    wishes = operation.wishes
    return {
        "id": operation.id,
        "name": operation.name,
        "account": shown.account,
        "account_id": operation.account_id,
        "symbol": operation.symbol,
        "state": str(operation.state),
        "standing": str(verdict_of(watched)),
        "auto_close_enabled": operation.auto_close_enabled,
        "dry_run": operation.dry_run,
        "gross": wishes.is_gross,
        "profit_target": plain(wishes.profit_target),
        "stop_loss": money(wishes.stop_loss),
        "trailing": money(wishes.trailing),
        "current_pnl": money(standing.current_pnl),
        "ratio": money(_ratio(watched)),
        "distance": money(distance_of(watched)),
        "peak": money(standing.peak),
        "result": _result(standing.result),
        "undecided": text(standing.undecided),
        "would_close": text(standing.would_close),
        "wanted": text(operation.wanted),
        "reason": text(operation.reason),
        "failures": operation.failures,
        "retry_at": instant(operation.retry_at),
        "changed_at": instant(standing.at),
        "opened_at": iso(operation.opened_at),
        "updated_at": iso(operation.updated_at),
    }


def _ratio(watched: Watched) -> Decimal | None:
    result = watched.standing.result
    return ratio_of(watched.standing.current_pnl, result.basis if result else None)


def _result(result: Result | None) -> dict[str, Any] | None:
    if result is None:
        return None
    parts = {name: money(getattr(result, name)) for name in ("mark", "gross", "fees", "funding", "net", "basis")}
    return {**parts, "long": _leg(result.long), "short": _leg(result.short)}


def _leg(leg: LegNow | None) -> dict[str, str] | None:
    return None if leg is None else {"amount": plain(leg.amount), "entry": plain(leg.entry), "pnl": plain(leg.pnl)}


def trade_out(trade: Trade) -> dict[str, Any]:
    wishes = trade.wishes
    return {
        "id": trade.id,
        "name": trade.name,
        "account": trade.account,
        "account_id": trade.account_id,
        "symbol": trade.symbol,
        "state": "closed",
        "standing": "closed",
        "reason": str(trade.reason),
        "profit_target": plain(wishes.profit_target),
        "stop_loss": money(wishes.stop_loss),
        "trailing": money(wishes.trailing),
        "gross": wishes.is_gross,
        "realised": plain(trade.gross),
        "fees": plain(trade.fees),
        "other_fees": dict(trade.other_fees),
        "funding": plain(trade.funding),
        "net": plain(trade.net),
        "basis": plain(trade.basis),
        "ratio": money(ratio_of(trade.net, trade.basis)),
        "legs": as_json(trade.legs),
        "fills": as_json(trade.fills),
        "opened_at": iso(trade.opened_at),
        "closed_at": iso(trade.closed_at),
    }


def order_out(intent: Intent) -> dict[str, Any]:
    return {
        "client_order_id": intent.client_order_id,
        "order_id": intent.order_id,
        "side": str(intent.side),
        "attempt": intent.attempt,
        "state": str(intent.state),
        "quantity": plain(intent.quantity),
        "executed": plain(intent.executed),
        "average_price": money(intent.average_price),
        "exchange_code": intent.exchange_code,
        "failure": intent.failure,
    }


def event_out(event: OperationEvent) -> dict[str, Any]:
    return {"id": event.id, "at": iso(event.at), "kind": event.kind, "data": event.data}


def total_out(total: Total, *, name: str | None = None) -> dict[str, Any]:
    """`name`: what its key is called; None: it is of all."""
    key = {} if name is None else {name: str(total.key)}
    sums = {part: plain(getattr(total, part)) for part in ("fees", "funding", "net")}
    return {**key, "count": total.count, "won": total.won, "realised": plain(total.gross), **sums}


def money(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def text(value: object | None) -> str | None:
    return None if value is None else str(value)


def instant(at: datetime | None) -> str | None:
    return None if at is None else iso(at)
