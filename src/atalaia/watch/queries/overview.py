"""SQL of the overview."""

from datetime import datetime

import msgspec

from atalaia.core.clock import from_ms
from atalaia.sdk.transaction import Tx
from atalaia.watch.model.checks import CheckKind
from atalaia.watch.model.states import CheckState

Glance = tuple[str, str, CheckKind, CheckState, datetime, datetime | None, float | None, str | None, str]


class _Target(msgspec.Struct):
    target: str = ""


_target = msgspec.json.Decoder(_Target)


def glances(tx: Tx) -> list[Glance]:
    """(id, name, kind, state, since, last result, its ms, its error, target) of every check."""
    rows = tx.raw(
        "SELECT c.id, c.name, c.kind, s.state, s.since_at, s.last_at, s.last_ms, s.last_error, c.spec"
        " FROM checks c JOIN check_states s ON s.check_id = c.id"
    )
    return [
        (
            row[0],
            row[1],
            CheckKind(row[2]),
            CheckState(row[3]),
            from_ms(row[4]),
            from_ms(row[5]) if row[5] is not None else None,
            row[6],
            row[7],
            _target.decode(row[8]).target,
        )
        for row in rows
    ]
