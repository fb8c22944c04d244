"""Logs are JSON lines with a static event name; data travels as keywords, secrets as stars."""

import logging
import sys
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any, TextIO

import structlog

from atalaia.core.log_files import LibraryEntries, LogFiles
from atalaia.core.redaction import redact, scrub

_open_files: list[LogFiles] = []


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


def _keeping(files: LogFiles) -> Callable[[Any, str, MutableMapping[str, Any]], MutableMapping[str, Any]]:
    """An entry as it is now, on disk too."""
    render = structlog.processors.JSONRenderer()

    def keep(logger: Any, name: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        files.write(str(render(logger, name, dict(entry))), level=str(entry.get("level", "")))
        return entry

    return keep


def configure_logging(*, level: str = "INFO", stream: TextIO | None = None, folder: Path | None = None) -> None:
    """Set up once, at the start of a process; `level` is a name of the standard library's. `folder`: files there as well."""
    number = logging.getLevelNamesMapping()[level.upper()]
    target = stream or sys.stderr
    while _open_files:
        _open_files.pop().close()
    if folder is not None:
        _open_files.append(LogFiles(folder))
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
            *(_keeping(files) for files in _open_files),
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(_ScrubbingFormatter("%(levelname)s %(name)s %(message)s"))
    kept = [LibraryEntries(files, scrub=scrub) for files in _open_files]
    logging.basicConfig(level=logging.WARNING, handlers=[handler, *kept], force=True)
