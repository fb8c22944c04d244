"""When the hub takes a snapshot by itself, and how many it keeps."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from atalaia.app.snapshots.keeping import MOST_KEPT, Seen, keep, merged, reasons

BEFORE = Seen(hub="1.0 (aaa)", templates={"fleet": "e1"}, workers={"w1": "1.0", "w2": "1.0"})


def test_the_first_look_is_a_reason_and_an_unchanged_one_is_none() -> None:
    assert reasons(None, BEFORE)
    assert reasons(BEFORE, BEFORE) == []


def test_another_version_or_template_is_named() -> None:
    now = Seen(hub="1.1 (bbb)", templates={"fleet": "e2"}, workers={"w1": "1.1"})
    assert reasons(BEFORE, now) == [
        "version 1.1 (bbb) in place of 1.0 (aaa)",
        "other frame templates of fleet",
        "worker w1 has version 1.1 in place of 1.0",
    ]


def test_who_comes_or_goes_is_no_other_version() -> None:
    away = Seen(hub="1.0 (aaa)", templates={"fleet": "e1", "meters": "e9"}, workers={"w3": "1.0"})
    assert reasons(BEFORE, away) == []


def test_a_worker_that_comes_back_with_another_version_is_seen() -> None:
    away = merged(BEFORE, Seen(hub="1.0 (aaa)", templates={"fleet": "e1"}, workers={}))
    back = Seen(hub="1.0 (aaa)", templates={"fleet": "e1"}, workers={"w2": "2.0"})
    assert reasons(away, back) == ["worker w2 has version 2.0 in place of 1.0"]


def test_the_oldest_are_dropped_beyond_a_number(tmp_path: Path) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    paths = [keep(tmp_path, "x", first + timedelta(minutes=number)) for number in range(MOST_KEPT + 3)]
    assert sorted((tmp_path / "snapshots").iterdir()) == paths[3:]


def test_two_in_one_second_are_two(tmp_path: Path) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    paths = [keep(tmp_path, text, at) for text in ("a", "b")]
    assert [path.read_text(encoding="utf-8") for path in paths] == ["a", "b"]
    assert sorted(paths) == paths
