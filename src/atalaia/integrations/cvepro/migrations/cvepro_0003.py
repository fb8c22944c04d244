"""Charge points that connect straight: stations with their lines and plugs, transactions, meter values, commands."""

import sqlalchemy as sa
from alembic import op

revision = "cvepro_0003"
down_revision = "cvepro_0002"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _stations()
    _lines()
    _plugs()
    _transactions()
    _meters()
    _commands()


def _stations() -> None:
    op.create_table(
        "cvepro_stations",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("box_id", "standing")),
        sa.Column("password_sha256", sa.LargeBinary),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("booted_at", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("box_id", name="pk_cvepro_stations"),
    )


def _lines() -> None:
    op.create_table(
        "cvepro_station_lines",
        sa.Column("box_id", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("hub", "client")),
        *(sa.Column(name, sa.BigInteger) for name in ("connected_at", "alive_at", "seen_at")),
        sa.Column("refused", sa.Integer, nullable=False),
        sa.Column("refused_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("box_id", name="pk_cvepro_station_lines"),
    )


def _plugs() -> None:
    op.create_table(
        "cvepro_plugs",
        sa.Column("box_id", sa.Text, nullable=False),
        sa.Column("connector", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("status", "error_code")),
        sa.Column("status_at", sa.BigInteger),
        *(sa.Column(name, sa.Float) for name in ("power_w", "soc_percent")),
        sa.Column("measured_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("box_id", "connector", name="pk_cvepro_plugs"),
    )


def _transactions() -> None:
    table = "cvepro_transactions"
    op.create_table(
        table,
        sa.Column("number", _ROW_ID, nullable=False, autoincrement=True),
        sa.Column("box_id", sa.Text, nullable=False),
        sa.Column("connector", sa.Integer, nullable=False),
        sa.Column("told_at", sa.Text, nullable=False),
        sa.Column("start_wh", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("tag", "state")),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("measured_at", sa.BigInteger),
        sa.Column("is_full", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("number", name=f"pk_{table}"),
        sa.UniqueConstraint(
            "box_id", "connector", "told_at", "start_wh", name=f"uq_{table}_box_id_connector_told_at_start_wh"
        ),
        sqlite_autoincrement=True,  # the number of one that was deleted never comes again
    )
    op.create_index(f"ix_{table}_box_id_state", table, ["box_id", "state"])
    op.create_index(f"ix_{table}_tag_state", table, ["tag", "state"])


def _meters() -> None:
    op.create_table(
        "cvepro_meters",
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("number", "at")),
        sa.Column("energy_mwh", sa.BigInteger),
        *(sa.Column(name, sa.Float) for name in ("power_w", "soc_percent")),
        sa.PrimaryKeyConstraint("number", "at", name="pk_cvepro_meters"),
    )
    op.create_index("ix_cvepro_meters_at", "cvepro_meters", ["at"])


def _commands() -> None:
    op.create_table(
        "cvepro_commands",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("id", "box_id", "action", "arguments", "state")),
        sa.Column("answer", sa.Text),
        sa.Column("asked_by", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("asked_at", "expires_at")),
        sa.Column("ended_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_cvepro_commands"),
    )
    op.create_index("ix_cvepro_commands_box_id_id", "cvepro_commands", ["box_id", "id"])
    op.create_index("ix_cvepro_commands_state", "cvepro_commands", ["state"])
