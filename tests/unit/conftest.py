"""What tests in this process leave behind: nothing that the next one would stumble over."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog


@pytest.fixture(autouse=True)
def _logging_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command that a test runs sets up logging to its own output, or to errors alone, and loggers would keep that for good."""
    configure, before = structlog.configure, structlog.get_config()
    handlers, level = logging.root.handlers[:], logging.root.level

    def configure_for_now(**given: Any) -> None:
        configure(**given | {"cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", configure_for_now)
    yield
    configure(**before)
    if logging.root.handlers != handlers:
        logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
