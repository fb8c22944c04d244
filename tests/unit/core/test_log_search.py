"""The log is searched from its newest entry back, page by page, however often the files turn over meanwhile."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from atalaia.core.log_files import LogFiles
from atalaia.core.log_search import FoundEntries, LogWish, Place, search_log
from atalaia.core.logging import configure_logging
from atalaia.core.redaction import Secret

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "logs"


def write(folder: Path, *entries: dict[str, Any], file_bytes: int = 5_000_000) -> None:
    files = LogFiles(folder, file_bytes=file_bytes)
    for entry in entries:
        files.write(json.dumps(entry), level=str(entry.get("level", "info")))
    files.close()


def entry(number: int, **more: Any) -> dict[str, Any]:
    at = (START + timedelta(seconds=number)).isoformat().replace("+00:00", "Z")
    return {"n": number, "event": "happened", "level": "info", "timestamp": at, **more}


def numbers(found: FoundEntries) -> list[int]:
    return [each.fields["n"] for each in found.entries]


def walk(folder: Path, wish: LogWish, *, limit: int = 7, budget_bytes: int = 5_000_000) -> list[int]:
    seen: list[int] = []
    place: Place | None = None
    while True:
        found = search_log(folder, wish, limit=limit, after=place, budget_bytes=budget_bytes)
        seen += numbers(found)
        if found.next is None:
            return seen
        place = found.next


def test_pages_have_every_entry_once_the_newest_first(folder: Path) -> None:
    write(folder, *(entry(n) for n in range(100)), file_bytes=2000)
    assert len(list(folder.glob("atalaia.log*"))) > 3
    kept = [json.loads(line)["n"] for path in folder.glob("atalaia.log*") for line in path.read_text().splitlines()]
    assert walk(folder, LogWish()) == list(range(99, min(kept) - 1, -1))


def test_files_that_turn_over_between_two_pages_move_nothing(folder: Path) -> None:
    files = LogFiles(folder, file_bytes=2000)
    for number in range(50):
        files.write(json.dumps(entry(number)), level="info")
    first = search_log(folder, LogWish(), limit=10)
    for number in range(50, 100):
        files.write(json.dumps(entry(number)), level="info")
    files.close()
    second = search_log(folder, LogWish(), limit=10, after=first.next)
    assert (numbers(first)[-1], numbers(second)[0], len(second.entries)) == (40, 39, 10)


def test_a_page_whose_file_is_gone_is_the_end(folder: Path) -> None:
    write(folder, *(entry(n) for n in range(20)))
    place = search_log(folder, LogWish(), limit=5).next
    assert place is not None
    assert search_log(folder, LogWish(), limit=5, after=place._replace(inode=place.inode + 1)).entries == []
    assert search_log(folder, LogWish(), limit=5, after=place._replace(check=place.check ^ 1)).entries == []
    assert search_log(folder, LogWish(), limit=5, after=place._replace(offset=10**9)).entries == []


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (LogWish(level="error"), [2]),
        (LogWish(level="warning"), [2, 1]),
        (LogWish(level="info"), [5, 4, 2, 1, 0]),
        (LogWish(request_id="a-1"), [4]),
        (LogWish(text="AÇÃO"), [5]),
        (LogWish(text='said "no"'), [4]),
        (LogWish(text="upstream=tracker"), [1]),
        (LogWish(since=START + timedelta(seconds=2)), [5, 4, 3, 2]),
        (LogWish(until=START + timedelta(seconds=2)), [1, 0]),
        (LogWish(text="nothing like it"), []),
    ],
)
def test_filters_by_level_text_time_and_request(folder: Path, wish: LogWish, expected: list[int]) -> None:
    write(
        folder,
        entry(0),
        entry(1, level="warning", upstream="tracker"),
        entry(2, level="error", exception="Traceback"),
        entry(3, level="debug"),
        entry(4, request_id="a-1", why='it said "no"'),
        entry(5, why="uma ação"),
    )
    assert walk(folder, wish, limit=2) == expected


def test_errors_reach_further_back_than_all_entries(folder: Path) -> None:
    write(folder, entry(0, level="error"), *(entry(n) for n in range(1, 2000)), file_bytes=2000)
    assert 0 not in walk(folder, LogWish())
    assert walk(folder, LogWish(level="error")) == [0]


def test_a_search_ends_with_its_budget_and_goes_on_from_there(folder: Path) -> None:
    write(folder, entry(0, why="needle"), *(entry(n) for n in range(1, 500)))
    found = search_log(folder, LogWish(text="needle"), limit=50, budget_bytes=5_000)
    assert (found.entries, found.next is None) == ([], False)
    assert found.reached_at is not None
    assert found.reached_at > START + timedelta(seconds=400)
    assert walk(folder, LogWish(text="needle"), budget_bytes=5_000) == [0]


def test_an_old_time_is_reached_without_reading_what_is_newer(folder: Path) -> None:
    write(folder, *(entry(n, filler="x" * 200) for n in range(5000)))
    found = search_log(folder, LogWish(until=START + timedelta(seconds=100)), limit=3, budget_bytes=200_000)
    assert numbers(found) == [99, 98, 97]


@pytest.mark.parametrize("line", ["not JSON at all", "[1, 2]", '{"torn": "li', "[" * 5000, '"text"', "{}"])
def test_what_is_no_entry_is_shown_as_it_is(folder: Path, line: str) -> None:
    folder.mkdir()
    (folder / "atalaia.log").write_text(f"{json.dumps(entry(1))}\n{line}\n", encoding="utf-8")
    found = search_log(folder, LogWish(), limit=5)
    assert found.entries[0].event == ("" if line == "{}" else line)
    assert found.entries[1].fields["n"] == 1


def test_no_log_is_no_error(folder: Path) -> None:
    assert search_log(folder, LogWish(text="x"), limit=5) == FoundEntries([])


@pytest.mark.usefixtures("_default_logging")
def test_no_secret_is_shown_or_can_be_searched_for(folder: Path) -> None:
    configure_logging(folder=folder)
    structlog.get_logger().info("before", address="wss://host/canary-of-later/json")
    Secret("canary-of-before")
    structlog.get_logger().error("refused", why="canary-of-before", password="x")
    Secret("canary-of-later")
    found = search_log(folder, LogWish(), limit=10)
    assert [each.fields for each in found.entries] == [
        {"why": "***", "password": "***"},
        {"address": "wss://host/***/json"},
    ]
    assert search_log(folder, LogWish(text="canary"), limit=10).entries == []


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 70_000), max_size=12), file_bytes=st.integers(500, 200_000), limit=st.integers(1, 5)
)
def test_every_entry_is_found_wherever_blocks_and_files_end(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], file_bytes: int, limit: int
) -> None:
    folder = tmp_path_factory.mktemp("any") / "logs"
    write(folder, *(entry(n, filler="é" * (size // 6)) for n, size in enumerate(sizes)), file_bytes=file_bytes)
    kept = [json.loads(line)["n"] for path in folder.glob("atalaia.log*") for line in path.read_text().splitlines()]
    assert walk(folder, LogWish(), limit=limit) == sorted(kept, reverse=True)
