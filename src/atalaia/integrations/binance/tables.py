"""What is kept of accounts and operations. What changes with every run stands apart, in narrow tables."""

from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from atalaia.integrations.binance.model.money import plain
from atalaia.sdk.columns import Blob, Instant, Json, new_metadata


class Money(TypeDecorator[Decimal]):
    """Kept as plain text, so that no digit is lost on either engine."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the base class's form
        return None if value is None else plain(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - as above
        return None if value is None else Decimal(value)


metadata = new_metadata()

accounts = Table(
    "binance_accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("sealed_key", Blob, nullable=False),
    Column("sealed_secret", Blob, nullable=False),
    Column("key_end", Text, nullable=False),  # its last characters, to know it by
    Column("created_at", Instant, nullable=False),
    Index("uq_binance_accounts_name", "name", unique=True),
)

operations = Table(
    "binance_active_operations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("profit_target", Money, nullable=False),
    Column("stop_loss", Money),
    Column("trailing", Money),
    Column("is_gross", Boolean, nullable=False),
    Column("auto_close_enabled", Boolean, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("revision", Integer, nullable=False),  # grows with every change by a person
    Column("wanted", Text),  # a person asked for its close: model.deciding.Reason
    Column("reason", Text),  # why it is being closed
    Column("plan", Json),  # of the legs, while it is being closed
    Column("failures", Integer, nullable=False),  # closes in a row that came to nothing or to a part
    Column("retry_at", Instant),
    Column("has_fault", Boolean, nullable=False),  # an incident is open
    Column("opened_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("uq_binance_active_operations_account_id_symbol", "account_id", "symbol", unique=True),
)

results = Table(
    "binance_results",
    metadata,
    Column("operation_id", Text, primary_key=True),
    Column("current_pnl", Money),  # what is decided upon: net or gross
    Column("gross", Money),
    Column("fees", Money),
    Column("funding", Money),
    Column("net", Money),
    Column("mark", Money),
    Column("basis", Money),
    Column("long_amount", Money),
    Column("long_entry", Money),
    Column("long_pnl", Money),
    Column("short_amount", Money),
    Column("short_entry", Money),
    Column("short_pnl", Money),
    Column("peak", Money),
    Column("undecided", Text),
    Column("would_close", Text),  # what a dry run has said last
    Column("at", Instant, nullable=False),
)

costs = Table(
    "binance_costs",
    metadata,
    Column("operation_id", Text, primary_key=True),
    Column("taker", Money),
    Column("maker", Money),
    Column("rates_at", Instant),
    Column("funding", Money),
    Column("funding_at", Instant),
)

orders = Table(
    "binance_orders",
    metadata,
    Column("client_order_id", Text, primary_key=True),
    Column("operation_id", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("quantity", Money, nullable=False),
    Column("state", Text, nullable=False),
    Column("settles_at", Instant, nullable=False),  # by the exchange's clock
    Column("order_id", BigInteger),
    Column("executed", Money, nullable=False),
    Column("average_price", Money),
    Column("exchange_code", Integer),
    Column("failure", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Index("uq_binance_orders_operation_id_side_attempt", "operation_id", "side", "attempt", unique=True),
)

history = Table(
    "binance_trade_history",
    metadata,
    Column("id", Text, primary_key=True),  # the operation's: it can't be there twice
    Column("account_id", Text, nullable=False),
    Column("account", Text, nullable=False),  # its name: an account may be removed
    Column("symbol", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("profit_target", Money, nullable=False),
    Column("stop_loss", Money),
    Column("trailing", Money),
    Column("is_gross", Boolean, nullable=False),
    Column("gross", Money, nullable=False),  # realised, before anything is paid
    Column("fees", Money, nullable=False),
    Column("other_fees", Json, nullable=False),  # {asset: text}: paid in something else than what was earned
    Column("funding", Money, nullable=False),
    Column("net", Money, nullable=False),
    Column("basis", Money, nullable=False),
    Column("legs", Json, nullable=False),  # model.history.LegClosed
    Column("fills", Json, nullable=False),  # model.history.FillKept
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant, nullable=False),
    Index("ix_binance_trade_history_closed_at", "closed_at"),
)

events = Table(
    "binance_events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("operation_id", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", Json, nullable=False),
    Index("ix_binance_events_operation_id_id", "operation_id", "id"),
)

points = Table(
    "binance_points",
    metadata,
    Column("operation_id", Text, primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("value", Money, nullable=False),  # what is decided upon
)

gate = Table(
    "binance_gate",
    metadata,
    Column("name", Text, primary_key=True),
    Column("blocked_until", Instant, nullable=False),
    Column("is_ban", Boolean, nullable=False),
)
