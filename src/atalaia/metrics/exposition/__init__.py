"""Text exposition 0.0.4: read from senders, written for scrapers."""

from atalaia.metrics.exposition.lines import Metadata
from atalaia.metrics.exposition.reader import KnownSeries, NewSeries, Parsed, Rejected, Samples, parse
from atalaia.metrics.exposition.writer import Family, write_exposition

__all__ = [
    "Family",
    "KnownSeries",
    "Metadata",
    "NewSeries",
    "Parsed",
    "Rejected",
    "Samples",
    "parse",
    "write_exposition",
]
