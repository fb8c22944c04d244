import errno
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from atalaia_agent import spool as spool_module
from atalaia_agent.spool import Batch, Spool
from atalaia_agent.spool_files import SpoolInUse


def put(spool: Spool, *numbers: int, size: int = 0) -> None:
    for number in numbers:
        spool.append({"t": "result", "n": number, "pad": "x" * size})


def decoded(batch: Batch | None) -> list[dict[str, Any]]:
    return [json.loads(record) for record in batch.records] if batch else []


def drain(spool: Spool, limit: int = 1_000) -> list[tuple[str, int, int]]:
    """(spool id, seq, n) of everything, confirmed as it is read."""
    found = []
    while (batch := spool.batch(limit)) is not None:
        found += [(batch.spool_id, record["seq"], record["n"]) for record in decoded(batch)]
        spool.confirm(batch)
    return found


def test_records_come_back_in_order_and_once_confirmed_never_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    put(spool, *range(25))
    assert spool.stats()["spool_records"] == 25
    first = spool.batch(10)
    assert [record["n"] for record in decoded(first)] == list(range(10))
    assert decoded(spool.batch(10)) == decoded(first)
    assert [n for _, _, n in drain(spool, 10)] == list(range(25))
    assert spool.stats()["spool_records"] == spool.stats()["spool_bytes"] == 0
    assert spool.batch() is None
    spool.close()


def test_what_was_spooled_is_there_after_a_restart_with_numbers_that_never_repeat(tmp_path: Path) -> None:
    seen: set[tuple[str, int]] = set()
    for start in range(0, 30, 3):
        spool = Spool(tmp_path)
        put(spool, *range(start, start + 3))
        spool.close()
    spool = Spool(tmp_path)
    found = drain(spool)
    assert [n for _, _, n in found] == list(range(30))
    seen = {(spool_id, seq) for spool_id, seq, _ in found}
    assert len(seen) == 30
    assert [seq for _, seq, _ in found] == sorted(seq for _, seq, _ in found)
    spool.close()


def test_a_torn_end_is_cut_off_and_counted(tmp_path: Path) -> None:
    said: list[str] = []
    spool = Spool(tmp_path)
    put(spool, 1, 2, 3)
    spool.close()
    segment = next(tmp_path.glob("*.seg"))
    content = segment.read_bytes()
    segment.write_bytes(content[:-7])
    spool = Spool(tmp_path, say=said.append)
    put(spool, 4)
    assert [n for _, _, n in drain(spool)] == [1, 2, 4]
    assert spool.stats()["torn_total"] == 1
    assert said == ["the spool had 1 damaged records, which are lost"]
    spool.close()


def test_damage_anywhere_costs_only_the_damaged_records(tmp_path: Path) -> None:
    """Bytes are turned over at random places; what comes back is what was written, no number comes twice."""
    dice = random.Random(20)
    for round_number in range(30):
        folder = tmp_path / str(round_number)
        spool = Spool(folder, max_bytes=200_000)
        put(spool, *range(60), size=dice.randrange(400))
        spool.close()
        for path in dice.choices([*sorted(folder.glob("*.seg")), folder / "spool.json"], k=2):
            content = bytearray(path.read_bytes())
            content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
            path.write_bytes(content)
        spool = Spool(folder, max_bytes=200_000)
        put(spool, *range(60, 70))
        found = drain(spool)
        assert len({(spool_id, seq) for spool_id, seq, _ in found}) == len(found)
        kept = [n for _, _, n in found]
        assert kept == sorted(kept)
        assert kept[-10:] == list(range(60, 70))
        assert len(kept) >= 70 - 4
        spool.close()


def test_a_lost_state_begins_a_new_spool_id_and_the_old_records_keep_theirs(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    put(spool, 1, 2)
    old_id = spool.id
    spool.close()
    (tmp_path / "spool.json").unlink()
    spool = Spool(tmp_path)
    assert spool.id != old_id
    put(spool, 3)
    assert [(spool_id, n) for spool_id, _, n in drain(spool)] == [(old_id, 1), (old_id, 2), (spool.id, 3)]
    spool.close()


def test_the_oldest_go_first_when_it_is_full_and_are_counted_for_good(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=65_536)
    put(spool, *range(400), size=400)
    stats = spool.stats()
    kept = [n for _, _, n in drain(spool)]
    assert kept == list(range(400 - len(kept), 400))
    assert stats["spool_bytes"] <= 65_536
    assert stats["dropped_total"] == 400 - len(kept) > 0
    spool.close()
    reopened = Spool(tmp_path)
    assert reopened.stats()["dropped_total"] == 400 - len(kept)
    reopened.close()


def test_confirming_what_was_dropped_meanwhile_takes_nothing_else(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=65_536)
    put(spool, *range(3), size=400)
    batch = spool.batch(2)
    assert batch is not None
    put(spool, *range(3, 300), size=400)
    before = spool.stats()["spool_records"]
    spool.confirm(batch)
    assert spool.stats()["spool_records"] == before
    spool.close()


def test_files_that_are_read_are_removed(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for _ in range(5):
        put(spool, *range(200), size=900)
        drain(spool)
    assert sum(path.stat().st_size for path in tmp_path.glob("*.seg")) < 250_000
    spool.close()


def test_a_second_agent_is_refused_by_the_first_ones_number(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with pytest.raises(SpoolInUse, match=f"process {os.getpid()}"):
        Spool(tmp_path)
    spool.close()
    Spool(tmp_path).close()


def test_a_rejected_batch_is_kept_apart_with_the_reason(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    put(spool, 1, 2, 3)
    batch = spool.batch(2)
    assert batch is not None
    spool.reject(batch, "422 wrong")
    assert [n for _, _, n in drain(spool)] == [3]
    assert spool.stats()["rejected_total"] == 2
    kept = json.loads(next((tmp_path / "rejected").iterdir()).read_text())
    assert kept["reason"] == "422 wrong"
    assert [record["n"] for record in kept["records"]] == [1, 2]
    spool.close()


def test_records_that_the_hub_left_out_of_a_batch_are_kept_apart_with_the_reason(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    put(spool, 1, 2, 3)
    batch = spool.batch(3)
    assert batch is not None
    assert spool.keep_apart(batch, {batch.first_seq + 1: "internal error: KeyError"}) == 1
    spool.confirm(batch)
    assert spool.stats()["rejected_total"] == 1
    kept = json.loads(next((tmp_path / "rejected").iterdir()).read_text())
    assert kept["reason"] == "internal error: KeyError"
    assert [record["n"] for record in kept["records"]] == [2]
    assert drain(spool) == []
    spool.close()


class FullDisk:
    """os.write that has only so many bytes left."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free: int | None = None
        self._write = os.write
        monkeypatch.setattr(os, "write", self.write)

    def write(self, fd: int, data: bytes) -> int:
        if self.free is None:
            return self._write(fd, data)
        if self.free == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._write(fd, data[: self.free])
        self.free -= written
        return written


@pytest.mark.parametrize("free", [0, 1, 50, 130])
def test_a_full_disk_keeps_records_in_memory_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    monkeypatch.setattr(spool_module, "_DISK_RETRY_S", 0.0)
    said: list[str] = []
    disk = FullDisk(monkeypatch)
    spool = Spool(tmp_path, say=said.append)
    put(spool, 1, 2)
    disk.free = free
    put(spool, *range(3, 9))
    assert "No space left" in spool.stats()["spool_error"]
    assert spool.stats()["spool_records"] == 8
    disk.free = None
    put(spool, 9)
    assert spool.stats()["spool_error"] is None
    spool.close()
    spool = Spool(tmp_path)
    found = drain(spool)
    assert [n for _, _, n in found] == list(range(1, 10))
    assert len({(spool_id, seq) for spool_id, seq, _ in found}) == 9
    assert len([line for line in said if "wait in memory" in line]) == 1
    spool.close()


def test_memory_is_bounded_too_and_can_be_sent_while_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "MAX_MEMORY_BYTES", 10_000)
    disk = FullDisk(monkeypatch)
    disk.free = 0
    spool = Spool(tmp_path)
    put(spool, *range(50), size=400)
    dropped = spool.stats()["dropped_total"]
    assert dropped > 0
    assert [n for _, _, n in drain(spool, 7)] == list(range(dropped, 50))
    put(spool, 50)
    assert [n for _, _, n in drain(spool)] == [50]
    spool.close()


def test_a_record_that_no_batch_could_hold_is_dropped_and_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    put(spool, 1, size=600_000)
    put(spool, 2)
    assert [n for _, _, n in drain(spool)] == [2]
    assert spool.stats()["dropped_total"] == 1
    spool.close()


def test_a_batch_stays_below_a_megabyte(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    put(spool, *range(60), size=50_000)
    while (batch := spool.batch()) is not None:
        assert sum(map(len, batch.records)) < 1_000_000
        spool.confirm(batch)
    assert spool.stats()["spool_records"] == 0
    spool.close()
