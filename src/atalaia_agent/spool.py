"""Every record waits here, on disk, until the hub has it.

It is written when it is made, so that a killed process loses none; it is safe from a power cut when the hub
has it, or after the next `sync`. The spool is bounded: the oldest segment goes first, and is counted. With a disk that is full,
records wait in a bounded memory under a spool id of their own, since the numbers of the one on disk can't be reserved; when
there is room they move to disk with their id and numbers.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import NamedTuple

from atalaia_agent import spool_files as files
from atalaia_agent.json_text import encode
from atalaia_agent.rejected import set_aside
from atalaia_agent.segments import Segment
from atalaia_agent.wire import MAX_BATCH_BYTES, MAX_BATCH_RECORDS, Json, new_uuid

DEFAULT_MAX_BYTES = 100_000_000
MAX_RECORD_BYTES = 500_000
MAX_MEMORY_BYTES = 2_000_000

_RESERVED_AT_ONCE = 1_000
_MAX_SEGMENT_BYTES = 1_000_000
_REUSED_BELOW_BYTES = 65_536
_DISK_RETRY_S = 5.0


class Batch(NamedTuple):
    spool_id: str
    first_seq: int
    last_seq: int
    records: list[bytes]
    segment: Segment | None
    end: int


class _Memory:
    def __init__(self) -> None:
        self.id = new_uuid()
        self.next_seq = 1
        self.size = 0
        self.records: deque[tuple[int, bytes]] = deque()

    def pop(self) -> None:
        self.size -= len(self.records.popleft()[1])


class Spool:
    """Safe for any number of writing threads and one that reads batches and confirms them."""

    def __init__(
        self, directory: Path, *, max_bytes: int = DEFAULT_MAX_BYTES, say: Callable[[str], None] = lambda _: None
    ) -> None:
        """Raises SpoolInUse; OSError when the directory can't be made or written (a full disk is no such case)."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = directory
        self._say = say
        self._max_bytes = max_bytes
        self._segment_bytes = max(4_096, min(_MAX_SEGMENT_BYTES, max_bytes // 16))
        self._mutex = RLock()
        self._lock_fd = files.lock(directory)
        self._state = files.load_state(directory) or files.State(new_uuid())
        self._next_seq = self._first_seq = self._state.reserved_to + 1
        self._set_back_id: str | None = None
        self._segments: deque[Segment] = deque()
        self._active: Segment | None = None
        self._memory: _Memory | None = None
        self._retry_at = 0.0
        self.error: str | None = None
        self._recover()

    @property
    def id(self) -> str:
        return self._state.id

    def append(self, record: Json) -> None:
        """Never raises for want of disk: what can be kept nowhere is counted as dropped."""
        with self._mutex:
            if self._memory is not None and not self._leave_memory():
                self._append_to_memory(record)
                return
            try:
                self._append_to_disk(record)
            except OSError as failure:
                self._enter_memory(failure)
                self._append_to_memory(record)

    def sync(self) -> None:
        with self._mutex:
            try:
                if self._active is not None:
                    self._active.sync()
            except OSError as failure:
                self._enter_memory(failure)

    def batch(self, max_records: int = MAX_BATCH_RECORDS) -> Batch | None:
        """The oldest records that the hub has not confirmed, all of one spool id; None when there are none."""
        with self._mutex:
            while self._segments:
                segment = self._segments[0]
                lines, end = segment.read(max_records, MAX_BATCH_BYTES) if segment.waiting else ([], 0)
                if lines:
                    records = [line.record for line in lines]
                    return Batch(segment.spool_id, lines[0].seq, lines[-1].seq, records, segment, end)
                if not self._discard_read(segment):
                    break
            return self._memory_batch(max_records)

    def confirm(self, batch: Batch) -> None:
        """The hub has it, or it is set aside."""
        with self._mutex:
            if batch.segment is None:
                memory = self._memory
                while memory and memory.records and memory.records[0][0] <= batch.last_seq:
                    memory.pop()
            elif self._segments and self._segments[0] is batch.segment:
                batch.segment.take(len(batch.records), batch.end)
                if not batch.segment.waiting:
                    self._discard_read(batch.segment)

    def is_set_back(self, batch: Batch, last_seq: int) -> bool:
        """Whether the hub has higher numbers of this spool than it ever gave: it is an old copy, from a snapshot or a backup."""
        return batch.spool_id == self.id and last_seq > self._state.reserved_to

    def begin_anew(self) -> None:
        """A new spool id, since under the old one the hub takes new records for repeated ones."""
        with self._mutex:
            self._say("this spool is an old copy: what is new goes on under a new spool id")
            self._set_back_id = self.id
            self._state = self._state._replace(id=new_uuid(), reserved_to=0)
            self._next_seq = 1
            self._active = None

    def renumber(self, batch: Batch) -> bool:
        """Move a batch to the new spool id; False when it is none that would be mistaken."""
        if batch.spool_id != self._set_back_id or batch.last_seq < self._first_seq:
            return False
        for encoded in batch.records:
            record = json.loads(encoded)
            if record.pop("seq") >= self._first_seq:
                self.append(record)
        self.confirm(batch)
        return True

    def reject(self, batch: Batch, reason: str) -> None:
        """Keep it apart, to be looked at, so that it does not stand in the way of the rest."""
        with self._mutex:
            self._set_aside(batch.records, reason)
            self.confirm(batch)

    def keep_apart(self, batch: Batch, left_out: dict[int, str]) -> int:
        """The same for those of a batch that the hub left out, by number and why; how many there are."""
        records = [record for record in batch.records if json.loads(record).get("seq") in left_out]
        with self._mutex:
            self._set_aside(records, ", ".join(sorted(set(left_out.values()))))
        return len(records)

    def _set_aside(self, records: list[bytes], reason: str) -> None:
        try:
            set_aside(self.directory / "rejected", records, reason=reason)
        except OSError as failure:
            self._say(f"a rejected batch could not be kept: {failure.strerror}")
        self._count(rejected=len(records))

    def stats(self) -> Json:
        with self._mutex:
            memory = self._memory
            return {
                "spool_records": sum(part.waiting for part in self._segments) + (len(memory.records) if memory else 0),
                "spool_bytes": sum(part.waiting_bytes for part in self._segments) + (memory.size if memory else 0),
                "dropped_total": self._state.dropped_total,
                "rejected_total": self._state.rejected_total,
                "torn_total": self._state.torn_total,
                "spool_error": self.error,
            }

    def close(self) -> None:
        with self._mutex:
            self.sync()
            for segment in self._segments:
                segment.close()
            self._segments.clear()
            os.close(self._lock_fd)

    def _recover(self) -> None:
        torn = 0
        for name in files.segment_names(self.directory):
            segment = Segment.recover(name.in_directory(self.directory), name.spool_id)
            torn += segment.damaged
            if segment.count:
                self._segments.append(segment)
            else:
                segment.remove()
        if torn:
            self._say(f"the spool had {torn} damaged records, which are lost")
            self._count(torn=torn)

    def _append_to_disk(self, record: Json) -> None:
        if self._next_seq > self._state.reserved_to:
            reserved = self._state._replace(reserved_to=self._next_seq + _RESERVED_AT_ONCE - 1)
            files.save_state(self.directory, reserved)
            self._state = reserved
        encoded = encode({**record, "seq": self._next_seq})
        if len(encoded) > MAX_RECORD_BYTES:
            self._say(f"a record of {len(encoded)} bytes is too large and was dropped")
            self._count(dropped=1)
            return
        self._writable(len(encoded)).append(self._next_seq, encoded)
        self._next_seq += 1

    def _writable(self, size: int) -> Segment:
        if self._active is not None and self._active.size + size > self._segment_bytes:
            self._active.sync()
            self._active = None
        while self._segments and sum([part.size for part in self._segments]) + size > self._max_bytes:
            self._drop_oldest()
        if self._active is None:
            self._active = self._create(self._state.id)
        return self._active

    def _create(self, spool_id: str) -> Segment:
        names = files.segment_names(self.directory)
        name = files.SegmentName(names[-1].number + 1 if names else 1, spool_id)
        segment = Segment.create(name.in_directory(self.directory), spool_id)
        self._segments.append(segment)
        return segment

    def _drop_oldest(self) -> None:
        segment = self._segments.popleft()
        if segment is self._active:
            self._active = None
        segment.remove()
        if segment.waiting:
            self._say(f"the spool is full: {segment.waiting} of its oldest records were dropped")
            self._count(dropped=segment.waiting)

    def _discard_read(self, segment: Segment) -> bool:
        """Remove a segment that has been read to its end; one that is being written stays until it is large."""
        if segment is self._active:
            if segment.size < _REUSED_BELOW_BYTES:
                return False
            self._active = None
        self._segments.popleft()
        segment.remove()
        return True

    def _count(self, *, dropped: int = 0, rejected: int = 0, torn: int = 0) -> None:
        state = self._state
        self._state = state._replace(
            dropped_total=state.dropped_total + dropped,
            rejected_total=state.rejected_total + rejected,
            torn_total=state.torn_total + torn,
        )
        try:
            files.save_state(self.directory, self._state)
        except OSError as failure:
            self.error = failure.strerror

    def _enter_memory(self, failure: OSError) -> None:
        self.error = f"{failure.strerror}: {self.directory}"
        if self._memory is None:
            self._say(f"the spool can't be written ({failure.strerror}): records wait in memory")
            self._memory = _Memory()
        self._active = None
        self._retry_at = monotonic() + _DISK_RETRY_S

    def _append_to_memory(self, record: Json) -> None:
        memory = self._memory
        if memory is None:
            return
        encoded = encode({**record, "seq": memory.next_seq})
        memory.records.append((memory.next_seq, encoded))
        memory.next_seq += 1
        memory.size += len(encoded)
        dropped = 0
        while memory.size > MAX_MEMORY_BYTES:
            memory.pop()
            dropped += 1
        if dropped:
            self._state = self._state._replace(dropped_total=self._state.dropped_total + dropped)

    def _leave_memory(self) -> bool:
        """Whether the disk takes records again; what waited in memory is then on it."""
        memory = self._memory
        if memory is None or monotonic() < self._retry_at:
            return memory is None
        try:
            files.save_state(self.directory, self._state)
            if memory.records:
                segment = self._create(memory.id)
                for seq, encoded in memory.records:
                    segment.append(seq, encoded)
                segment.sync()
        except OSError as failure:
            self._undo_move(memory)
            self._enter_memory(failure)
            return False
        self._memory = None
        self.error = None
        self._say("the spool can be written again")
        return True

    def _undo_move(self, memory: _Memory) -> None:
        if self._segments and self._segments[-1].spool_id == memory.id:
            self._segments.pop().remove()

    def _memory_batch(self, max_records: int) -> Batch | None:
        memory = self._memory
        if memory is None or not memory.records:
            return None
        taken: list[tuple[int, bytes]] = []
        size = 0
        for seq, encoded in memory.records:
            size += len(encoded)
            if len(taken) >= max_records or (taken and size > MAX_BATCH_BYTES):
                break
            taken.append((seq, encoded))
        return Batch(memory.id, taken[0][0], taken[-1][0], [encoded for _, encoded in taken], None, 0)
