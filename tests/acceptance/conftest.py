"""A hub for each test, or one for those that leave nothing behind."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.hub import Hub
from tests.acceptance.receiver import Receiver

MakeHub = Callable[..., Hub]
_HERE = Path(__file__).parent
# Of one that hangs: what is waited for has limits of its own, which stretch with what the machine was late by.
LONGEST_S = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.acceptance)
            item.add_marker(pytest.mark.timeout(LONGEST_S))


@pytest.fixture
def make_hub(tmp_path: Path) -> Iterator[MakeHub]:
    """`make_hub(env=…)`: a hub that is not started yet, ended with the test."""
    made: list[Hub] = []

    def make(**options: Any) -> Hub:
        folder = tmp_path / f"h{len(made)}"
        folder.mkdir()
        made.append(Hub(folder, **options))
        return made[-1]

    yield make
    for hub in made:
        hub.close()


@pytest.fixture
def hub(make_hub: MakeHub) -> Hub:
    """A running hub with the embedded store."""
    return make_hub().start()


@pytest.fixture(scope="module")
def shared_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One running hub for the tests of a module: they must not mind each other's traces. Started as people start it."""
    hub = Hub(tmp_path_factory.mktemp("shared"), is_cold=True)
    try:
        yield hub.start()
    finally:
        hub.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()
