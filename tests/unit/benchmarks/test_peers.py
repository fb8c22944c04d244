"""The peers' rows: measured, or said why not; the benchmarks go on either way."""

import ast
import contextlib
import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from benchmarks.peers import beside, measure

from tests.architecture.tracked import ROOT

FOLDER = ROOT / "benchmarks" / "peers"
GIVEN = {"prepare", "fill", "left", "make", "work"}


def test_a_peer_that_is_not_installed_is_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(beside, "PYTHON", tmp_path / "nothing")
    rates, latencies = beside.peers_rates(), beside.peers_latencies()
    assert [row.value for row in (*rates, *latencies)] == [None] * 8
    assert rates[0].figure == "beside: Procrastinate on PostgreSQL"
    assert rates[0].note == "not installed; measured elsewhere: 550/s"
    assert {row.note for row in latencies} == {"not installed"}


def test_a_peer_that_breaks_is_a_row_with_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own interpreter has no Huey: a real start that fails."""
    cores = os.sched_getaffinity(0)
    monkeypatch.setattr(beside, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(beside, "PEERS", (beside.Peer("Huey", "huey_sqlite", 1, _nowhere),))
    (row,) = beside.peers_latencies()
    assert row.value is None
    assert row.note == "broke: ModuleNotFoundError: No module named 'huey'"
    assert os.sched_getaffinity(0) == cores


def test_one_whose_server_is_missing_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(beside, "find_binary", lambda _name: None)
    monkeypatch.setattr(beside, "PEERS", beside.PEERS[-1:])
    (row,) = beside.peers_rates()
    assert row.note == "redis-server is not installed; measured elsewhere: 1,300/s"


def test_a_stretch_in_which_the_queue_ran_dry_does_not_count() -> None:
    assert measure.rates([(0.0, 900), (2.0, 500), (4.0, 200), (6.0, 0)]) == [200.0, 150.0]
    with pytest.raises(ValueError, match="ran dry"):
        measure.rates([(0.0, 900), (2.0, 0)])


def test_a_queue_is_filled_as_far_as_time_allows() -> None:
    made: list[int] = []
    slow = SimpleNamespace(fill=made.append)
    assert measure.fill(slow, 1200) == sum(made) == 1500
    clock = itertools.count(0.0, 15.0)
    assert measure.fill(slow, 100_000, clock=lambda: next(clock)) == 2 * measure.BULK


@pytest.mark.parametrize("module", [peer.module for peer in beside.PEERS])
def test_each_peer_is_one_small_file_that_gives_all_that_is_measured(module: str) -> None:
    text = (FOLDER / f"{module}.py").read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert {node.name for node in tree.body if isinstance(node, ast.FunctionDef)} >= GIVEN
    assert text.count("\n") <= 80


@contextlib.contextmanager
def _nowhere() -> Iterator[str]:
    yield ""
