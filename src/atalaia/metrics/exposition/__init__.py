"""Text exposition 0.0.4: read from senders, written for VictoriaMetrics."""

from atalaia.metrics.exposition.lines import Metadata
from atalaia.metrics.exposition.reader import KnownSeries, NewSeries, Parsed, Rejected, Samples, parse, times_of
from atalaia.metrics.exposition.writer import write_line, write_value

__all__ = [
    "KnownSeries",
    "Metadata",
    "NewSeries",
    "Parsed",
    "Rejected",
    "Samples",
    "parse",
    "times_of",
    "write_line",
    "write_value",
]
