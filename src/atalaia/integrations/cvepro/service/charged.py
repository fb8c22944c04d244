"""What one resident charged: sessions with what they cost, and the sums of months."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from atalaia.integrations.cvepro.model.months import Month, month_of
from atalaia.integrations.cvepro.model.statement import SessionLine, Sums, sums_of
from atalaia.integrations.cvepro.queries import lines
from atalaia.integrations.cvepro.queries.residents import RESIDENT_ID
from atalaia.integrations.cvepro.service.billing import session_lines
from atalaia.integrations.cvepro.service.prices import Prices
from atalaia.sdk.transaction import Tx


class MonthSums(msgspec.Struct, frozen=True):
    month: Month
    sums: Sums


def charged(tx: Tx, resident_id: str, since: datetime, until: datetime, priced: Prices) -> list[SessionLine]:
    """Newest first; also what is under way."""
    rows = lines.between(tx, since, until, RESIDENT_ID.in_([resident_id]))
    return session_lines(tx, reversed(rows), priced)


def by_month(found: Sequence[SessionLine], last: Month, months: int, zone: ZoneInfo) -> list[MonthSums]:
    """Oldest first, months without a session too; what is under way is not in the sums."""
    grouped: dict[Month, list[SessionLine]] = {last.moved(n - months + 1): [] for n in range(months)}
    for line in found:
        if line.stopped_at is not None and (month := month_of(line.began_at, zone)) in grouped:
            grouped[month].append(line)
    return [MonthSums(month, sums_of(tuple(own))) for month, own in grouped.items()]
