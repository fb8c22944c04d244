"""Who keeps sessions does so one after the other: lists, sessions under way and imports may bring the same one at once."""

from typing import Final

from sqlalchemy import func, select

from atalaia.sdk.transaction import Tx

_LOCK: Final = 0x63_76_65_73_65_73  # of PostgreSQL's advisory locks; "cveses"


def hold_sessions(tx: Tx) -> None:
    """Until the end of the transaction. On SQLite there is one writer anyway."""
    if tx.dialect == "postgresql":
        tx.value(select(func.pg_advisory_xact_lock(_LOCK)))
