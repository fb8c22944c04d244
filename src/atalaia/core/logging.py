"""Logs are JSON lines with a static event name; data travels as keywords, secrets as stars."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from atalaia.core.redaction import redact, scrub


def _redacted(_logger: Any, _name: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: redact(value, name=key) for key, value in entry.items()}


def _scrubbed(_logger: Any, _name: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A traceback quotes what libraries say, and they say whole addresses."""
    if isinstance(trace := entry.get("exception"), str):
        entry["exception"] = scrub(trace)
    return entry


class _ScrubbingFormatter(logging.Formatter):
    """For what libraries log by themselves."""

    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))


def configure_logging(*, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Set up once, at the start of a process; `level` is a name of the standard library's."""
    number = logging.getLevelNamesMapping()[level.upper()]
    target = stream or sys.stderr
    # A terminal gets lines for eyes, a file or a pipe gets JSON.
    last: Any = structlog.dev.ConsoleRenderer() if target.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _redacted,
            structlog.processors.format_exc_info,
            _scrubbed,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(_ScrubbingFormatter("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
