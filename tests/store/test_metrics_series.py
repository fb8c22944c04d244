"""Series are found by their labels without reading the others, on either engine."""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from atalaia.core.errors import InvalidField
from atalaia.metrics.model import make_query
from atalaia.metrics.postings import posting_keys
from atalaia.metrics.queries import series as queries
from atalaia.metrics.selectors import parse_selectors
from atalaia.metrics.series import Series, make_series
from atalaia.metrics.service.reading import Reader
from atalaia.metrics.tables import postings
from atalaia.metrics.wiring import MIGRATIONS
from atalaia.sdk.transaction import Tx
from atalaia.store.migrations import migrate
from atalaia.store.opening import open_store
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.metrics_world import World

HOSTS, PHASES = 600, ("dns", "tcp", "tls", "ttfb", "body|part")


class Watched:
    """A transaction that keeps what was asked, and how many rows came."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self.asked: list[tuple[str, Sequence[Any], int]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    def raw(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        rows = self._tx.raw(sql, params)
        self.asked.append((sql, params, len(rows)))
        return rows

    @property
    def rows_read(self) -> int:
        return sum(count for sql, _, count in self.asked if "FROM metrics_series" in sql)

    def plans(self) -> Iterator[str]:
        how = "EXPLAIN QUERY PLAN" if self._tx.dialect == "sqlite" else "EXPLAIN"
        for sql, params, _ in self.asked:
            yield "\n".join(str(row[-1]) for row in self._tx.raw(f"{how} {sql}", params))


def all_series() -> Iterator[Series]:
    for host, phase in itertools.product(range(HOSTS), PHASES):
        yield make_series("probe_seconds", {"host": f"h{host}", "phase": phase, "kind": "http"})
    for host in range(HOSTS):
        yield make_series("probe_up", {"host": f"h{host}", "place": "sp" if host % 2 else ""})


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    made = make_store("metrics")
    made.write_now(lambda tx: queries.add_series(tx, list(all_series()), sender="k", day=1))
    analyze = text("ANALYZE")
    with made.writer_engine.begin() as connection:
        connection.execute(analyze)
    return made


Select = Callable[..., tuple[list[Series], Watched]]


@pytest.fixture
def select(store: Store) -> Select:
    def ask(labels: str, metric: str = "probe_seconds") -> tuple[list[Series], Watched]:
        question = make_query(
            metric, tuple(parse_selectors(labels)), from_ms=0, to_ms=1000, step_ms=1000, aggregation="avg"
        )

        def unit(tx: Tx) -> tuple[list[Series], Watched]:
            watched = Watched(tx)
            found = Reader(head=None).select(watched, question)  # type: ignore[arg-type]  # no sample is asked for
            return [row.series for row in found], watched

        return store.read_now(unit)

    return ask


CASES = [  # labels, series that fit, rows that may be read for them
    ("host=h7", 5, 5),
    ("host=h7,phase=tcp", 1, 1),
    ("kind=http,host=h7,phase=tcp", 1, 1),
    ("host=~h7|h8|h9999,phase=dns", 2, 2),
    ("host=h7,phase!=tcp", 4, 5),
    ("host=h7,phase=~t.*", 3, 5),
    ('host=h7,phase="body|part"', 1, 1),
    ("host=h7,place=", 5, 5),
    ("host=nowhere", 0, 0),
    ("host=h7,phase=nothing", 0, 0),
]


def test_labels_that_are_named_are_all_that_is_read(select: Select) -> None:
    for labels, count, most_read in CASES:
        found, watched = select(labels)
        selectors = parse_selectors(labels)
        assert found == [
            each
            for each in all_series()
            if each.name == "probe_seconds" and all(selector.matches(dict(each.labels)) for selector in selectors)
        ]
        assert len(found) == count
        assert watched.rows_read <= most_read


def test_no_table_is_read_through_for_a_label(store: Store) -> None:
    groups = [posting_keys(make_series("probe_seconds", {"host": "h7", "kind": "http"}))[:1]]

    def unit(tx: Tx) -> list[str]:
        watched = Watched(tx)
        queries.by_ids(watched, queries.ids_with(watched, groups))
        return list(watched.plans())

    plans = store.read_now(unit)
    assert len(plans) == 2
    assert not [plan for plan in plans if "SCAN metrics" in plan or "Seq Scan" in plan]


def test_what_no_label_names_is_compared_one_by_one(select: Select) -> None:
    for labels, count in (("place=", 300), ("place!=sp,host=~h1.*", 55), ("host!=h1,place=~s.", 299)):
        assert len(select(labels, metric="probe_up")[0]) == count


def test_too_many_are_refused_before_they_are_read(select: Select) -> None:
    for labels in ("", "kind=http"):
        with pytest.raises(InvalidField) as refused:
            select(labels)
        assert refused.value.params["count"] == len(PHASES) * HOSTS


def test_a_store_of_the_former_version_finds_its_series_too(
    empty_database_url: str | None, tmp_path: Path, clock: FakeClock
) -> None:
    store = open_store(tmp_path, database_url=empty_database_url)
    try:
        migrate(store.writer_engine, [MIGRATIONS], to=("metrics_0001",))
        insert = "INSERT INTO metrics_series (id, digest, name, labels, seen_day) VALUES (?, ?, 'm', ?, 1)"
        old = [make_series("m", {"host": f"h{number}", "place": "sp"}) for number in range(2_500)]
        rows = [(number, each.digest, json.dumps(dict(each.labels))) for number, each in enumerate(old, 1)]
        store.write_now(lambda tx: tx.raw_many(insert, rows))
        migrate(store.writer_engine, [MIGRATIONS])
        world = World(store, clock, {})
        assert world.count(postings) == 2 * len(old)
        world.take("".join(f'm{{host="h{number}",place="sp"}} {number}\n' for number in (7, 2_499)))
        assert [each.labels["host"] for each in world.ask(labels="host=h2499", agg="last")] == ["h2499"]
        assert world.count(postings) == 2 * len(old)
    finally:
        store.close()
