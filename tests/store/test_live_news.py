"""News between hubs goes on, whoever says what on the way."""

import threading
from collections.abc import Callable
from pathlib import Path

import psycopg

from atalaia.store.listen import CHANNEL
from atalaia.store.opening import open_store
from tests.conftest import MakeStore


def test_a_note_that_nobody_can_read_and_a_listener_that_fails_end_nothing(
    new_database: Callable[[], str], tmp_path: Path
) -> None:
    url = new_database()
    here, there = (open_store(tmp_path, database_url=url) for _ in range(2))
    heard, seen = threading.Event(), list[tuple[str, str]]()

    def fail(_topic: str, _id: str) -> None:
        raise RuntimeError("Event loop is closed")

    def hear(topic: str, id: str) -> None:
        seen.append((topic, id))
        if id == "last":
            heard.set()

    here.live.subscribe(fail)
    here.live.subscribe(hear)
    try:
        with psycopg.connect(url, autocommit=True) as other:
            # Until it listens nothing reaches it: told again and again, as lossy news are.
            while not heard.wait(0.05):
                for note in ("nonsense", "[1]", '["x", [["a"]]]'):
                    other.execute("SELECT pg_notify(%s, %s)", (CHANNEL, note))
                there.write_now(lambda tx: tx.publish("checks", "last"))
        assert ("checks", "last") in seen
    finally:
        here.close()
        there.close()


def test_what_fails_after_a_commit_is_not_told_as_a_failed_write(make_store: MakeStore) -> None:
    store = make_store()

    def fail() -> None:
        raise RuntimeError("too late")

    def unit(tx: object) -> int:
        tx.after_commit(fail)  # type: ignore[attr-defined]
        return 7

    assert store.write_now(unit) == 7
