"""Steps of jobs, by lease: late, repeated or out of order, they come to the same."""

from collections.abc import Sequence
from typing import NamedTuple

from atalaia.jobs.queries.many import among, packed
from atalaia.sdk.transaction import Tx


class StepRow(NamedTuple):
    seq: int
    lease: int
    n: int
    attempt: int
    rank: int
    is_irreversible: int
    started_at: int
    ended_at: int | None
    state: str
    name: str
    data: str


# A step goes from started to irreversible to failed or done, whatever comes last; of the same state the last data stands.
# That it was declared irreversible stays, also where the declaration comes late.
_KEEP = """
INSERT INTO job_steps (seq, lease, n, attempt, rank, is_irreversible, started_at, ended_at, state, name, data)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (seq, lease, n) DO UPDATE SET
  is_irreversible = CASE WHEN excluded.is_irreversible > job_steps.is_irreversible THEN 1 ELSE job_steps.is_irreversible END,
  state = CASE WHEN excluded.rank >= job_steps.rank THEN excluded.state ELSE job_steps.state END,
  data = CASE WHEN excluded.rank >= job_steps.rank AND excluded.data <> '{}' THEN excluded.data ELSE job_steps.data END,
  ended_at = COALESCE(job_steps.ended_at, excluded.ended_at),
  started_at = CASE WHEN excluded.started_at < job_steps.started_at THEN excluded.started_at ELSE job_steps.started_at END,
  rank = CASE WHEN excluded.rank > job_steps.rank THEN excluded.rank ELSE job_steps.rank END
"""
_COLUMNS = ", ".join(StepRow._fields)


def keep(tx: Tx, rows: Sequence[StepRow]) -> None:
    tx.raw_many(_KEEP, rows)


def of(tx: Tx, seqs: Sequence[int]) -> list[StepRow]:
    """Oldest first."""
    sql = f"SELECT {_COLUMNS} FROM job_steps WHERE seq {among(tx)} ORDER BY seq, lease, n"  # noqa: S608 - of our own
    return [StepRow._make(row) for row in tx.raw(sql, (packed(tx, seqs),))]


def count(tx: Tx, seq: int) -> int:
    return int(tx.raw("SELECT count(*) FROM job_steps WHERE seq = ?", (seq,))[0][0])


_FIRST_LOOK = (
    "SELECT min(started_at) FROM job_steps WHERE seq = ?"
    " AND lease > (SELECT max(lease) FROM job_steps WHERE seq = ? AND is_irreversible = 1)"
)


def first_look_ms(tx: Tx, seq: int) -> int | None:
    """When somebody began to find out what became of something irreversible; None: there is no step of that."""
    began: int | None = tx.raw(_FIRST_LOOK, (seq, seq))[0][0]
    return began


def irreversible_of(tx: Tx, held: Sequence[tuple[int, int]]) -> dict[int, list[tuple[str, int]]]:
    """Steps that were declared irreversible, by job: (state, n) of these leases alone."""
    leases = dict(held)
    sql = f"SELECT seq, lease, state, n FROM job_steps WHERE is_irreversible = 1 AND seq {among(tx)}"  # noqa: S608
    found: dict[int, list[tuple[str, int]]] = {}
    for seq, lease, state, n in tx.raw(sql, (packed(tx, list(leases)),)):
        if leases[seq] == lease:
            found.setdefault(seq, []).append((state, n))
    return found
