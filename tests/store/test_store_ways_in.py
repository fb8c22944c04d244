"""A unit's statements may go to the driver or through SQLAlchemy: they are one transaction, whichever came first."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, select

from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from atalaia.store.work import Merged
from tests.conftest import MakeStore

things = Table("things", MetaData(), Column("name", Text, primary_key=True), Column("n", BigInteger, nullable=False))

Ways = Sequence[bool]
ORDERS: list[Ways] = [(True,), (False,), (True, False), (False, True), (False, True, False)]


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    made = make_store()
    made.write_now(lambda tx: tx.raw("CREATE TABLE things (name TEXT PRIMARY KEY, n BIGINT NOT NULL)"))
    return made


def _write(tx: Tx, name: str, are_raw: Ways) -> int:
    for n, is_raw in enumerate(are_raw):
        if is_raw:
            tx.raw("INSERT INTO things VALUES (?, ?)", (f"{name}{n}", n))
        else:
            tx.insert(things, [{"name": f"{name}{n}", "n": n}])
    return len(tx.rows(select(things.c.n)))


def _merged(store: Store, are_raw: Ways, *, fails: bool = False) -> object:
    def run(tx: Tx, names: Sequence[str]) -> list[int]:
        found = [_write(tx, name, are_raw) for name in names]
        if fails:
            raise ValueError("no")
        return found

    async def main() -> object:
        return await store.merge(Merged("things", run), "a")

    return asyncio.run(main())


def _names(store: Store) -> list[str]:
    return [row[0] for row in store.read_now(lambda tx: tx.raw("SELECT name FROM things ORDER BY name"))]


@pytest.mark.parametrize("are_raw", ORDERS)
def test_all_of_it_is_kept(store: Store, are_raw: Ways) -> None:
    assert _merged(store, are_raw) == len(are_raw)
    assert _names(store) == [f"a{n}" for n in range(len(are_raw))]


@pytest.mark.parametrize("are_raw", ORDERS)
def test_all_of_it_goes_back_and_the_next_one_is_none_the_worse(store: Store, are_raw: Ways) -> None:
    with pytest.raises(ValueError, match="no"):
        _merged(store, are_raw, fails=True)
    assert _names(store) == []
    assert store.write_now(lambda tx: _write(tx, "b", are_raw)) == len(are_raw)
    assert _names(store) == [f"b{n}" for n in range(len(are_raw))]


def test_a_statement_that_the_database_refuses_takes_back_what_came_before(store: Store) -> None:
    def unit(tx: Tx) -> None:
        _write(tx, "a", (True, False))
        tx.raw("INSERT INTO things VALUES ('a0', 1)")

    with pytest.raises(Exception, match=r"(?i)unique"):
        store.write_now(unit)
    assert _names(store) == []
    assert store.write_now(lambda tx: _write(tx, "b", (False, True))) == 2
