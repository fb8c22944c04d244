"""SQL on the intents of orders: stored before an order is sent, settled by what the exchange says."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from atalaia.integrations.binance.exchange.port import Side
from atalaia.integrations.binance.model.legs import Intent, IntentState
from atalaia.integrations.binance.tables import orders
from atalaia.sdk.transaction import Tx


def add(tx: Tx, operation_id: str, symbol: str, intents: Iterable[Intent], *, now: datetime) -> None:
    rows = [
        {
            "client_order_id": intent.client_order_id,
            "operation_id": operation_id,
            "symbol": symbol,
            "side": str(intent.side),
            "attempt": intent.attempt,
            "quantity": intent.quantity,
            "created_at": now,
            **_known(intent),
        }
        for intent in intents
    ]
    tx.insert(orders, rows)


def settle(tx: Tx, intents: Iterable[Intent], *, now: datetime) -> None:
    """What has become known; one that is settled already stays as it is."""
    for intent in intents:
        is_open = (orders.c.client_order_id == intent.client_order_id) & (orders.c.state == str(IntentState.OPEN))
        settled_at = None if intent.state is IntentState.OPEN else now
        tx.execute(update(orders).where(is_open).values(settled_at=settled_at, **_known(intent)))


def of_operation(tx: Tx, operation_id: str) -> list[Intent]:
    """In the order in which they were made."""
    mine = orders.c.operation_id == operation_id
    return [_intent(row) for row in tx.rows(select(orders).where(mine).order_by(orders.c.created_at, orders.c.attempt))]


def of_operations(tx: Tx, operation_ids: Iterable[str]) -> dict[str, list[Intent]]:
    ids = list(operation_ids)
    found: dict[str, list[Intent]] = {id_: [] for id_ in ids}
    question = select(orders).where(orders.c.operation_id.in_(ids)).order_by(orders.c.created_at, orders.c.attempt)
    for row in tx.rows(question):
        found[row.operation_id].append(_intent(row))
    return found


def _known(intent: Intent) -> dict[str, Any]:
    return {
        "state": str(intent.state),
        "settles_at": intent.settles_at,
        "order_id": intent.order_id,
        "executed": intent.executed,
        "average_price": intent.average_price,
        "exchange_code": intent.exchange_code,
        "failure": intent.failure,
    }


def _intent(row: Any) -> Intent:
    return Intent(
        client_order_id=row.client_order_id,
        side=Side(row.side),
        attempt=row.attempt,
        quantity=row.quantity,
        settles_at=row.settles_at,
        state=IntentState(row.state),
        order_id=row.order_id,
        executed=row.executed,
        average_price=row.average_price,
        exchange_code=row.exchange_code,
        failure=row.failure,
    )
