"""Batches as VictoriaMetrics takes them: text exposition with ms timestamps, gzip, the same bytes for the same samples."""

from __future__ import annotations

import gzip
from collections.abc import Mapping

from atalaia.metrics.exposition import Samples
from atalaia.metrics.exposition.writer import write_value

MAX_SAMPLES = 10_000
_LEVEL = 5


def write_body(samples: Samples, names: Mapping[int, str]) -> bytes:
    """`names` are the canonical spellings by id; a series that is not among them is gone, and left out."""
    rows = zip(samples.series_ids.tolist(), samples.values.tolist(), samples.at_ms.tolist(), strict=True)
    lines = [f"{names[each]} {write_value(value)} {at_ms}\n" for each, value, at_ms in rows if each in names]
    # Without a time in the header the bytes depend on the samples alone.
    return gzip.compress("".join(lines).encode(), _LEVEL, mtime=0)
