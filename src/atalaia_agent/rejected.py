"""Batches that the hub calls wrong: kept to be looked at, the oldest removed when there are many."""

from __future__ import annotations

import json
import time
from pathlib import Path

_MAX_BYTES = 10_000_000


def set_aside(directory: Path, records: list[bytes], *, reason: str) -> Path:
    directory.mkdir(mode=0o700, exist_ok=True)
    path = directory / f"batch-{time.time_ns()}.json"
    with path.open("wb") as out:
        out.write(b'{"reason": %s, "records": [' % json.dumps(reason).encode())
        out.write(b",\n".join(records))
        out.write(b"]}\n")
    _prune(directory)
    return path


def _prune(directory: Path) -> None:
    kept = sorted(directory.glob("batch-*.json"), reverse=True)
    size = 0
    for index, path in enumerate(kept):
        size += path.stat().st_size
        if index and size > _MAX_BYTES:
            path.unlink(missing_ok=True)
