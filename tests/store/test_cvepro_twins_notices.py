"""Who charges at a charger that reports to the vendor and to us hears of it once, whichever of the two is the first to tell."""

from itertools import permutations
from typing import Any, cast

import pytest

from atalaia.integrations.cvepro.ocpp.book import Book
from atalaia.sdk.integration import Host
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.notices_house import NOON, SESSION, House, ended, run

ORDERS = [
    order
    for order in permutations(("starts", "began", "stops", "ended"))
    if order.index("starts") < order.index("stops") and order.index("began") < order.index("ended")
]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("access", "notify", "integrations/cvepro")


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_each_notice_is_sent_once(store: Store, clock: FakeClock, order: tuple[str, ...]) -> None:
    """The charger starts and stops; the vendor says that it began and ended."""
    done = ended()
    assert SESSION.started_at is not None
    assert done.stopped_at is not None
    start, stop = SESSION.started_at.isoformat(), done.stopped_at.isoformat()

    async def body(house: House) -> None:
        book = Book(cast("Host", house), house.telling)
        given: dict[str, Any] = {"reason": None, "tag": None, "found": ()}
        number = 1
        for step in order:
            if step in {"stops", "ended"} and clock.now() == NOON:
                await house.settle(then_s=101 * 60)
            match step:
                case "starts":
                    await store.write(lambda tx: book.start(tx, "B1", 1, tag="04:A2", start_wh=0, at=start))
                case "began":
                    await house.keep(SESSION)
                case "stops":
                    await store.write(lambda tx: book.stop(tx, "B1", number, stop_wh=12_340, at=stop, **given))
                case _:
                    await house.keep(done)
        await house.settle()
        kinds = [kind for kind, _ in await house.fates()]
        assert len(kinds) == len(set(kinds)), kinds
        assert set(kinds) - {"started"} == {"ended"}

    run(store, clock, body)
