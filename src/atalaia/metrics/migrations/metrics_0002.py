"""Series by their labels."""

import json
from collections.abc import Iterator
from hashlib import blake2b

import sqlalchemy as sa
from alembic import op

revision = "metrics_0002"
down_revision = "metrics_0001"
branch_labels = None
depends_on = None

_AT_ONCE = 1_000


def upgrade() -> None:
    op.create_table(
        "metrics_postings",
        sa.Column("key", sa.BigInteger, nullable=False),
        sa.Column("series_id", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", "series_id", name="pk_metrics_postings"),
        sqlite_with_rowid=False,
    )
    insert = sa.text("INSERT INTO metrics_postings (key, series_id) VALUES (:key, :series_id)")
    connection = op.get_bind()
    for rows in _series(connection):
        postings = [
            {"key": _key(name, label, value), "series_id": series_id}
            for series_id, name, labels in rows
            for label, value in json.loads(labels).items()
        ]
        if postings:
            connection.execute(insert, postings)


def _series(connection: sa.Connection) -> Iterator[list[tuple[int, str, str]]]:
    statement = sa.text("SELECT id, name, labels FROM metrics_series WHERE id > :after ORDER BY id LIMIT :most")
    after = 0
    while rows := [tuple(row) for row in connection.execute(statement, {"after": after, "most": _AT_ONCE})]:
        yield rows
        after = rows[-1][0]


def _key(metric: str, label: str, value: str) -> int:
    """As atalaia.metrics.postings had it then."""
    text = f"{metric}\0{label}\0{value}".encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)
