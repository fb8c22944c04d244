"""The simulated site does what its script says, when it says."""

import socket
import threading
from collections.abc import Iterator

import pytest

from atalaia_simulators.site import CYCLE_S, SCRIPT, Behaviour, Scene, Site, behaviour_at
from tests.acceptance.calls import Client
from tests.servers import wait_until

BROKEN = Scene("/", 10, 20, Behaviour(status=503))
GONE = Scene("port", 10, 20, Behaviour(status=0))


class Time:
    def __init__(self) -> None:
        self.elapsed_s = 0.0

    def __call__(self) -> float:
        return self.elapsed_s


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def site(time: Time) -> Iterator[Site]:
    site = Site(script=(BROKEN, GONE), now=time)
    site.start()
    yield site
    site.close()


@pytest.mark.parametrize(
    ("elapsed_s", "status"), [(0, 200), (9.9, 200), (10, 503), (19.9, 503), (20, 200), (CYCLE_S + 15, 503)]
)
def test_a_scene_holds_from_its_start_to_its_end_in_each_cycle(elapsed_s: float, status: int) -> None:
    assert behaviour_at("/", elapsed_s, script=(BROKEN,)).status == status


def test_everything_breaks_within_the_first_minutes_and_heals_within_the_cycle() -> None:
    for path in {scene.path for scene in SCRIPT}:
        assert behaviour_at(path, 0) == behaviour_at(path, CYCLE_S - 1)
    assert min(scene.start_s for scene in SCRIPT) < 30
    assert all(scene.start_s < scene.end_s < CYCLE_S for scene in SCRIPT)


def test_the_site_answers_by_its_script(site: Site, time: Time) -> None:
    client = Client(site.url)
    assert client.get("/").status == 200
    time.elapsed_s = 15
    assert client.get("/").status == 503
    time.elapsed_s = 25
    assert client.get("/").status == 200
    assert client.get("/nothing").status == 404


def test_the_service_beside_it_is_gone_and_comes_back(site: Site, time: Time) -> None:
    host, _, port = site.service_address.partition(":")

    def answers() -> bool:
        try:
            with socket.create_connection((host, int(port)), timeout=2) as connection:
                return connection.recv(3) == b"220"
        except OSError:
            return False

    wait_until(answers, what="the service", timeout_s=60)
    time.elapsed_s = 15
    wait_until(lambda: not answers(), what="its end", timeout_s=60)
    time.elapsed_s = 25
    wait_until(answers, what="its return", timeout_s=60)


def test_nothing_of_it_runs_on_after_its_end(time: Time) -> None:
    before = threading.active_count()
    site = Site(now=time)
    site.start()
    site.close()
    wait_until(lambda: threading.active_count() <= before, what="its threads to end", timeout_s=60)
