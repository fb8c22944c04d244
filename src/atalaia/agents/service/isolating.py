"""A record that a handler stumbles over must not hold up all that was measured with it and after it.

1. A batch that fails unexpectedly is tried in halves, each rolled back again: what fails alone is at fault.
2. The rest is taken in one unit, as if the batch had come without it; the agent is told which ones were left out, and why.
3. Where too many are at fault it is not they: the failure is the batch's, and the agent sends it again.
"""

from collections.abc import Callable, Sequence

import msgspec
import structlog

from atalaia.agents.model.wire import Record, Rejected
from atalaia.core.errors import AtalaiaError
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

MAX_FAULTY = 10
_SHOWN_CHARS = 2_000

log = structlog.get_logger()


class Fault(msgspec.Struct, frozen=True):
    record: Record
    error: Exception

    @property
    def told(self) -> Rejected:
        """Without the error's own words, which may say anything."""
        return Rejected(seq=self.record.seq, why=f"internal error: {type(self.error).__name__}")


class _TooManyError(Exception):
    pass


class _PassedError(Exception):
    """Raised at the end of a trial, so that nothing of it is kept."""


Take = Callable[[Tx, Sequence[Record]], object]


async def find_faults(store: Store, take: Take, records: Sequence[Record]) -> list[Fault]:
    """The records that fail by themselves; none where more than MAX_FAULTY do.

    Raises:
        AtalaiaError: the store can't be written now.
    """
    found: list[Fault] = []
    try:
        await _search(store, take, records, found)
    except _TooManyError:
        return []
    return found


async def _search(store: Store, take: Take, records: Sequence[Record], found: list[Fault]) -> None:
    error = await _trial(store, take, records)
    if error is None:
        return
    if len(records) > 1:
        middle = len(records) // 2
        await _search(store, take, records[:middle], found)
        await _search(store, take, records[middle:], found)
        return
    found.append(Fault(records[0], error))
    if len(found) > MAX_FAULTY:
        raise _TooManyError


async def _trial(store: Store, take: Take, records: Sequence[Record]) -> Exception | None:
    def unit(tx: Tx) -> None:
        take(tx, records)
        raise _PassedError

    try:
        await store.write(unit)
    except _PassedError:
        return None
    except AtalaiaError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a handler stumbled over
        return error
    raise AssertionError("unreachable")


def log_faults(agent: str, faults: Sequence[Fault]) -> None:
    """Whole, since the agent deletes them."""
    for fault in faults:
        shown = msgspec.json.encode(fault.record)[:_SHOWN_CHARS].decode("utf-8", "replace")
        log.error("record_rejected", agent=agent, seq=fault.record.seq, record=shown, exc_info=fault.error)
