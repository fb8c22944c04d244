"""Many values in one parameter are the same values on the other side, whatever is in them."""

import pytest

from atalaia.jobs.queries.many import among, array, insert_many, packed
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from tests.conftest import MakeStore

TEXTS = [
    "",
    "plain",
    "NULL",
    "null",
    'a"b',
    "a\\",
    "\\",
    '\\"',
    "a,b",
    "{}",
    '{"a":"\\u0001"}',
    " a ",
    "\n\t",
    "çã",
    "😀",
    "'",
    "%s ?",
]
NUMBERS = [0, -1, 2**31, 2**62, -(2**63)]


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store()


def test_texts_arrive_as_they_were_sent(store: Store) -> None:
    def unit(tx: Tx) -> list[str]:
        sql = "SELECT * FROM unnest(?::text[])" if tx.dialect == "postgresql" else "SELECT value FROM json_each(?)"
        return [row[0] for row in tx.raw(sql, (packed(tx, TEXTS),))]

    assert store.write_now(unit) == TEXTS


def test_rows_arrive_as_they_were_sent(store: Store) -> None:
    rows = [(n, text, None if n % 2 else text) for n, text in enumerate(TEXTS)]

    def unit(tx: Tx) -> list[tuple[int, str, str | None]]:
        tx.raw("CREATE TEMPORARY TABLE said (n bigint, text text, perhaps text)")
        insert_many(tx, "said", {"n": "bigint", "text": "text", "perhaps": "text"}, rows)
        found = tx.raw(
            f"SELECT n, text, perhaps FROM said WHERE n {among(tx)} ORDER BY n", (packed(tx, [row[0] for row in rows]),)
        )
        tx.raw("DROP TABLE said")
        return [(row[0], row[1], row[2]) for row in found]

    assert store.write_now(unit) == rows


def test_numbers_and_none_at_all() -> None:
    assert array(NUMBERS) == "{0,-1,2147483648,4611686018427387904,-9223372036854775808}"
    assert array([]) == "{}"
    assert array([None, 1]) == "{NULL,1}"
