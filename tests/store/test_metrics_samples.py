"""What the sample store promises, on either engine."""

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from atalaia.core.errors import InvalidField
from atalaia.metrics.queries import samples as queries
from atalaia.metrics.service.ingest import Imported
from atalaia.metrics.tables import chunks, forward_queue, log, series
from atalaia.metrics.wiring import make_service
from atalaia.sdk.faults import FaultReported
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.metrics_world import DAY, HOUR, MINUTE, World, no_http, run


@pytest.fixture
def make_world(make_store: MakeStore, clock: FakeClock) -> Callable[..., World]:
    return lambda **environment: World(make_store("metrics"), clock, environment)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


def test_what_is_taken_can_be_asked_for_at_once(world: World) -> None:
    at = world.now_ms - MINUTE
    assert world.take(f'm{{host="a"}} 1.5 {at}\nm{{host="b"}} 2 {at}\n') == Imported(2, [])
    found = world.ask(agg="last")
    assert {each.labels["host"]: each.values for each in found} == {"a": [1.5], "b": [2.0]}


def test_a_sample_without_a_time_is_of_now(world: World) -> None:
    world.take("m 7\n")
    assert world.points(agg="last") == {world.now_ms - world.now_ms % MINUTE: 7.0}


@pytest.mark.parametrize("sealed", [False, True])
def test_the_same_sample_twice_counts_once(world: World, sealed: bool) -> None:
    body = f"m 5 {world.now_ms}\nm 6 {world.now_ms - MINUTE}\n"
    world.take(body)
    if sealed:
        run(world.service.sealing.seal())
    world.take(body)
    assert sum(world.points(agg="count").values()) == 2
    run(world.service.sealing.seal())
    assert sum(world.points(agg="count").values()) == 2
    assert sum(world.points().values()) == 11


def test_a_restart_loses_nothing_that_was_answered(world: World) -> None:
    world.take(f"m 5 {world.now_ms}\n")
    world.restart()
    assert sum(world.points().values()) == 5
    run(world.service.sealing.seal())
    world.restart()
    assert sum(world.points().values()) == 5


def test_sealing_moves_samples_from_the_log_to_chunks(world: World) -> None:
    start = world.now_ms - 3 * HOUR
    world.take("".join(f"m {n} {start + n * 15_000}\n" for n in range(720)))
    before = world.points(since_ms=start)
    assert run(world.service.sealing.seal()) == 720
    assert world.count(log) == 0
    assert world.count(chunks) == 2
    assert world.points(since_ms=start) == before
    assert sum(before.values()) == sum(range(720))


def test_sealing_waits_until_it_is_time(world: World) -> None:
    world.take("m 1\n")
    run(world.service.sealing.run())
    assert world.count(chunks) == 0
    world.clock.advance(601)
    run(world.service.sealing.run())
    assert world.count(chunks) == 1


def test_late_samples_merge_into_chunks_at_their_own_time(world: World) -> None:
    at = world.now_ms - 5 * HOUR
    world.take(f"m 1 {at}\nm 3 {at + 2 * MINUTE}\n")
    run(world.service.sealing.seal())
    world.take(f"m 2 {at + MINUTE}\nm 2 {at + MINUTE}\nm 9 {at - 2 * HOUR}\n")
    expected = {at - 2 * HOUR: 9.0, at: 1.0, at + MINUTE: 2.0, at + 2 * MINUTE: 3.0}
    assert world.points(since_ms=at - 3 * HOUR) == expected
    run(world.service.sealing.seal())
    assert world.points(since_ms=at - 3 * HOUR) == expected


def test_sealing_that_is_cut_short_begins_again_to_the_same_effect(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.take("".join(f'm{{n="{n}"}} {n}\n' for n in range(250)))
    written = queries.put_chunks
    calls = iter(range(10))

    def fail_second(tx: Any, rows: Any) -> None:
        if next(calls) == 1:
            raise ConnectionError("cut")
        written(tx, rows)

    with monkeypatch.context() as patched:
        patched.setattr(queries, "put_chunks", fail_second)
        with pytest.raises(ConnectionError):
            run(world.service.sealing.seal())
    assert 0 < world.count(chunks) < 250
    world.restart()
    assert sum(sum(each.values) for each in world.ask()) == sum(range(250))
    run(world.service.sealing.seal())
    assert world.count(chunks) == 250
    assert sum(sum(each.values) for each in world.ask()) == sum(range(250))


@pytest.mark.parametrize("is_old", [False, True], ids=["sealing comes upon it", "rolling up comes upon it"])
def test_a_damaged_chunk_is_set_aside_and_holds_nobody_up(world: World, *, is_old: bool) -> None:
    told: list[FaultReported] = []
    world.store.on(FaultReported, lambda _tx, event: told.append(event))
    at = world.now_ms - (50 * HOUR if is_old else 10 * MINUTE)
    world.take(f"bad 1 {at}\ngood 1 {at}\n")
    run(world.service.sealing.seal())
    ((bad,),) = world.store.read_now(lambda tx: tx.raw("SELECT id FROM metrics_series WHERE name = 'bad'"))
    world.store.write_now(lambda tx: tx.raw("UPDATE metrics_chunks SET data = ? WHERE series_id = ?", (b"\x09", bad)))
    assert world.points(metric="bad", since_ms=at - HOUR) == {}
    if is_old:
        run(world.service.rolling.run())
    world.take(f"bad 2 {at + MINUTE}\ngood 2 {at + MINUTE}\n")
    run(world.service.sealing.seal())
    assert world.count(log) == 0
    assert world.points(metric="good", since_ms=at - HOUR) == {at: 1.0, at + MINUTE: 2.0}
    assert world.points(metric="bad", since_ms=at - HOUR) == {at + MINUTE: 2.0}
    assert world.store.read_now(lambda tx: tx.raw("SELECT series_id, data FROM metrics_damaged")) == [(bad, b"\x09")]
    assert [(event.fault.name, event.fault.severity) for event in told] == [("bad", "warning")]


def test_two_that_seal_at_once_lose_nothing(world: World) -> None:
    world.take(f"m 1 {world.now_ms}\n")
    run(world.service.sealing.seal())
    rows = world.store.read_now(lambda tx: queries.find_chunks(tx, [1], spans=(0, 10**6)))
    world.take(f"m 2 {world.now_ms + 1}\n")
    run(world.service.sealing.seal())
    with pytest.raises(queries.ChangedMeanwhile):
        world.store.write_now(lambda tx: queries.put_chunks(tx, rows))
    new = [queries.ChunkRow(1, rows[0].span, 0, False, b"x")]
    with pytest.raises(queries.ChangedMeanwhile):
        world.store.write_now(lambda tx: queries.put_chunks(tx, new))
    assert sum(world.points(since_ms=world.now_ms - 2 * MINUTE).values()) == 3


def test_slices_write_in_their_own_transaction(world: World) -> None:
    rows = [("m", {"b": "2", "a": "1"}, world.now_ms, 4.0), ("m", {"a": "1", "b": "2"}, world.now_ms - MINUTE, 5.0)]
    run(world.store.write(lambda tx: world.service.write_samples(tx, rows)))
    run(world.store.write(lambda tx: world.service.write_samples(tx, rows)))
    assert sorted(world.points(labels="a=1").values()) == [4.0, 5.0]


def test_a_transaction_that_fails_keeps_no_sample(world: World) -> None:
    def fail(tx: Any) -> None:
        world.service.write_samples(tx, [("m", {}, world.now_ms, 4.0)])
        raise LookupError

    with pytest.raises(LookupError):
        run(world.store.write(fail))
    assert world.points() == {}
    run(world.store.write(lambda tx: world.service.write_samples(tx, [("m", {}, world.now_ms, 1.0)])))
    assert list(world.points().values()) == [1.0]


def test_bad_lines_are_named_and_good_ones_kept(world: World) -> None:
    future = world.now_ms + 3 * DAY
    done = world.take(f"good 1\nbad\ngood2 2\nahead 1 {future}\nold 1 1000\n")
    assert done.accepted == 2
    assert [bad.line for bad in done.rejected] == [2, 4, 5]
    assert "days ahead" in done.rejected[1].why
    assert "older than" in done.rejected[2].why


def test_a_sender_may_not_fill_the_store_with_series(make_world: Callable[..., World]) -> None:
    world = make_world(ATALAIA_METRICS_SERIES_PER_SENDER="100")
    done = world.take("".join(f'm{{id="{n}"}} 1\n' for n in range(150)))
    assert done.accepted == 100
    assert [bad.line for bad in done.rejected] == list(range(101, 151))
    assert "at most 100 series" in done.rejected[0].why
    assert world.take('m{id="0"} 2\nm{id="1000"} 1\n').accepted == 1
    assert world.take('m{id="1000"} 1\n', sender="key-2").accepted == 1


def test_ten_thousand_series_of_one_sender_are_too_many_by_default(world: World) -> None:
    done = world.take("".join(f'm{{id="{n}"}} 1\n' for n in range(10_000)))
    assert len(done.rejected) == 1
    assert "limit" in done.rejected[0].why


def test_bodies_that_come_together_are_one_row_of_the_log(world: World) -> None:
    async def many() -> list[Imported]:
        bodies = [f"m{n} 1 {world.now_ms}\n".encode() for n in range(20)]
        taken = [world.service.import_body(body, sender="k") for body in bodies]
        return list(await asyncio.gather(*taken))

    assert all(done == Imported(1, []) for done in run(many()))
    assert world.count(log) <= 3


def test_a_body_that_comes_often_at_once_is_learnt_once(world: World) -> None:
    async def many() -> list[Imported]:
        lines = [f'm{{n="{n}"}} 1' for n in range(50)]
        bodies = ["".join(f"{line} {world.now_ms + step}\n" for line in lines).encode() for step in range(8)]
        return list(await asyncio.gather(*(world.service.import_body(body, sender="k") for body in bodies)))

    assert run(many()) == [Imported(50, [])] * 8
    assert world.count(series) == 50
    assert sum(sum(each.values) for each in world.ask(agg="count")) == 400


def test_labels_choose_series(world: World) -> None:
    world.take('m{host="a",place="sp"} 1\nm{host="b",place="rj"} 2\nm{host="c"} 3\n')

    def hosts(labels: str) -> set[str]:
        return {each.labels["host"] for each in world.ask(labels=labels)}

    assert hosts("") == {"a", "b", "c"}
    assert hosts("host=a") == {"a"}
    assert hosts('host=~"a|b",place!=sp') == {"b"}
    assert hosts("place!~.+") == {"c"}
    assert hosts('{"host": "c"}') == {"c"}
    assert hosts('{host="c"}') == {"c"}
    with pytest.raises(InvalidField):
        hosts("host=~(")


def test_rates_count_from_before_the_range(world: World) -> None:
    start = world.now_ms - world.now_ms % MINUTE - HOUR
    world.take("".join(f"m {n * 10} {start + n * 30_000}\n" for n in range(100)))
    run(world.service.sealing.seal())
    rates = world.points(since_ms=start + 10 * MINUTE, until_ms=start + 20 * MINUTE, agg="rate")
    assert set(rates.values()) == {20 / 60}
    assert len(rates) == 10


def test_a_metric_that_is_not_there_gives_nothing(world: World) -> None:
    assert world.ask("nothing") == []


def test_names_and_series_are_listed_page_by_page(world: World) -> None:
    world.take('# HELP b_total Bs.\n# TYPE b_total counter\na 1\nb_total{x="1"} 1\nb_total{x="2"} 1\n')
    names = run(world.service.names(search="", after="", limit=10))
    assert [(each.name, each.series, each.type, each.help) for each in names] == [
        ("a", 1, "", ""),
        ("b_total", 2, "counter", "Bs."),
    ]
    assert [each.name for each in run(world.service.names(search="_to", after="", limit=10))] == ["b_total"]
    assert [each.name for each in run(world.service.names(search="", after="a", limit=10))] == ["b_total"]
    first = run(world.service.series(metric="b_total", after=0, limit=1))
    second = run(world.service.series(metric="b_total", after=first[0].id, limit=5))
    assert [dict(each.series.labels) for each in (*first, *second)] == [{"x": "1"}, {"x": "2"}]


def test_the_hubs_own_metrics_are_samples_too(world: World) -> None:
    world.service.own.ping_reported({"location": "sp"}, "hub", outcome="ok", rtt_s=0.02)
    run(world.service.write_own())
    found = world.ask("ping_requests_total", agg="last")
    assert found[0].labels == {"source_location": "sp", "target_location": "hub", "status": "success"}
    assert found[0].values == [1.0]
    names = {each.name: each.type for each in run(world.service.names(search="ping_requests", after="", limit=10))}
    assert names == {"ping_requests_total": "counter"}


def test_with_two_hubs_each_sees_what_the_other_took(world: World) -> None:
    if world.store.dialect == "sqlite":
        pytest.skip("one hub has the directory")
    world.take(f"m 1 {world.now_ms}\n")
    other = make_service(world.store, settings=world.settings, clock=world.clock, http=no_http)
    run(other.start())
    world.take(f"m 2 {world.now_ms - MINUTE}\n")
    first, world.service = world.service, other
    assert sum(world.points().values()) == 3
    run(first.sealing.seal())
    assert sum(world.points().values()) == 3
    world.take(f"m 4 {world.now_ms - 2 * MINUTE}\n")
    assert sum(world.points().values()) == 7
    world.service = first
    assert sum(world.points().values()) == 7


def test_nothing_is_queued_without_a_target(world: World) -> None:
    world.take("m 1\n")
    assert world.count(forward_queue) == 0


def test_bodies_for_targets_are_the_same_bytes_for_the_same_samples() -> None:
    from atalaia.metrics.exposition import Samples
    from atalaia.metrics.forwarding.bodies import write_body

    samples = Samples(np.array([1, 2, 3]), np.array([5, 6, 7]), np.array([1.5, 2.0, 3.0]))
    body = write_body(samples, {1: 'a{x="1"}', 2: "b"})
    assert body == write_body(samples, {1: 'a{x="1"}', 2: "b"})
    assert gzip.decompress(body) == b'a{x="1"} 1.5 5\nb 2 6\n'
