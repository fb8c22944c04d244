import logging
from collections.abc import Iterator

import pytest
import structlog

from atalaia.core.logging import configure_logging


@pytest.fixture
def _default_logging() -> Iterator[None]:
    """Logging as it was before the test, and no file of it left open."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    configure_logging()
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
