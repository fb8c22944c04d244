"""Files in the store: whole to the byte, with the rows that name them, and each owner's its own."""

from datetime import UTC, datetime

import pytest

from atalaia.sdk.transaction import Tx
from atalaia.store.files import PART_BYTES, StoreFiles
from atalaia.store.store import Store
from tests.conftest import MakeStore

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OWN = StoreFiles("charging", now=lambda: NOW)
OTHER = StoreFiles("desk", now=lambda: NOW)


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store()


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, 2 * PART_BYTES + 7])
def test_a_file_comes_back_whole(store: Store, size: int) -> None:
    content = bytes(n % 251 for n in range(size))
    ref = store.write_now(lambda tx: OWN.keep(tx, name="relatório.pdf", media_type="application/pdf", content=content))
    assert ref.size_bytes == size
    assert store.read_now(lambda tx: OWN.read(tx, ref.id)) == content
    assert store.read_now(lambda tx: OWN.find(tx, ref.id)) == ref


def test_another_owner_neither_reads_nor_drops_it(store: Store) -> None:
    ref = store.write_now(lambda tx: OWN.keep(tx, name="a", media_type="text/plain", content=b"ours"))
    store.write_now(lambda tx: OTHER.drop(tx, ref.id))
    assert store.read_now(lambda tx: (OTHER.find(tx, ref.id), OTHER.read(tx, ref.id))) == (None, None)
    assert store.read_now(lambda tx: OWN.read(tx, ref.id)) == b"ours"


def test_a_dropped_file_leaves_nothing(store: Store) -> None:
    ref = store.write_now(lambda tx: OWN.keep(tx, name="a", media_type="text/plain", content=b"ours"))
    store.write_now(lambda tx: OWN.drop(tx, ref.id))
    assert store.read_now(lambda tx: OWN.read(tx, ref.id)) is None
    assert store.read_now(lambda tx: tx.raw("SELECT count(*) FROM file_parts")) == [(0,)]


def test_a_file_goes_with_the_unit_that_failed(store: Store) -> None:
    def unit(tx: Tx) -> None:
        OWN.keep(tx, name="a", media_type="text/plain", content=b"ours")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.write_now(unit)
    assert store.read_now(lambda tx: tx.raw("SELECT count(*) FROM files")) == [(0,)]
