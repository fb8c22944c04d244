from collections.abc import Iterator

import pytest

from atalaia.core.logging import configure_logging


@pytest.fixture
def _default_logging() -> Iterator[None]:
    """No file of the test's logging is left open."""
    yield
    configure_logging()
