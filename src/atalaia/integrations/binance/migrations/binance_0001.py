"""Accounts, operations with what changes of them, orders and what came of them, history, the gate."""

import sqlalchemy as sa
from alembic import op

revision = "binance_0001"
down_revision = None
branch_labels = ("binance",)
depends_on = None


def upgrade() -> None:
    _accounts()
    _operations()
    _narrow()
    _orders()
    _history()


def _money(*names: str) -> list[sa.Column[str]]:
    """Decimal numbers as plain text."""
    return [sa.Column(name, sa.Text) for name in names]


def _accounts() -> None:
    op.create_table(
        "binance_accounts",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sealed_key", sa.LargeBinary, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("key_end", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_binance_accounts"),
    )
    op.create_index("uq_binance_accounts_name", "binance_accounts", ["name"], unique=True)
    op.create_table(
        "binance_gate",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("blocked_until", sa.BigInteger, nullable=False),
        sa.Column("is_ban", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_binance_gate"),
    )


def _operations() -> None:
    table = "binance_active_operations"
    op.create_table(
        table,
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("profit_target", sa.Text, nullable=False),
        *_money("stop_loss", "trailing"),
        sa.Column("is_gross", sa.Boolean, nullable=False),
        sa.Column("auto_close_enabled", sa.Boolean, nullable=False),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("wanted", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("plan", sa.Text),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("retry_at", sa.BigInteger),
        sa.Column("has_fault", sa.Boolean, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    op.create_index(f"uq_{table}_account_id_symbol", table, ["account_id", "symbol"], unique=True)


def _narrow() -> None:
    op.create_table(
        "binance_results",
        sa.Column("operation_id", sa.Text, nullable=False),
        *_money("current_pnl", "gross", "fees", "funding", "net", "mark", "basis"),
        *_money("long_amount", "long_entry", "long_pnl", "short_amount", "short_entry", "short_pnl", "peak"),
        sa.Column("undecided", sa.Text),
        sa.Column("would_close", sa.Text),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("operation_id", name="pk_binance_results"),
    )
    op.create_table(
        "binance_costs",
        sa.Column("operation_id", sa.Text, nullable=False),
        *_money("taker", "maker"),
        sa.Column("rates_at", sa.BigInteger),
        *_money("funding"),
        sa.Column("funding_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("operation_id", name="pk_binance_costs"),
    )
    op.create_table(
        "binance_points",
        sa.Column("operation_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("operation_id", "at", name="pk_binance_points"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Rewritten with every run: room on each page keeps the new version beside the old one.
        op.execute(
            "ALTER TABLE binance_results SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05,"
            " autovacuum_vacuum_cost_delay = 0)"
        )


def _orders() -> None:
    op.create_table(
        "binance_orders",
        sa.Column("client_order_id", sa.Text, nullable=False),
        sa.Column("operation_id", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("quantity", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("settles_at", sa.BigInteger, nullable=False),
        sa.Column("order_id", sa.BigInteger),
        sa.Column("executed", sa.Text, nullable=False),
        *_money("average_price"),
        sa.Column("exchange_code", sa.Integer),
        sa.Column("failure", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("settled_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("client_order_id", name="pk_binance_orders"),
    )
    op.create_index(
        "uq_binance_orders_operation_id_side_attempt",
        "binance_orders",
        ["operation_id", "side", "attempt"],
        unique=True,
    )


def _history() -> None:
    op.create_table(
        "binance_trade_history",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("profit_target", sa.Text, nullable=False),
        *_money("stop_loss", "trailing"),
        sa.Column("is_gross", sa.Boolean, nullable=False),
        sa.Column("gross", sa.Text, nullable=False),
        sa.Column("fees", sa.Text, nullable=False),
        sa.Column("other_fees", sa.Text, nullable=False),
        sa.Column("funding", sa.Text, nullable=False),
        sa.Column("net", sa.Text, nullable=False),
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("legs", sa.Text, nullable=False),
        sa.Column("fills", sa.Text, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("closed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_binance_trade_history"),
    )
    op.create_index("ix_binance_trade_history_closed_at", "binance_trade_history", ["closed_at"])
    op.create_table(
        "binance_events",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("operation_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_binance_events"),
    )
    op.create_index("ix_binance_events_operation_id_id", "binance_events", ["operation_id", "id"])
