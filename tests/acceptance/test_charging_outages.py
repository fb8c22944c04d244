"""A cloud that is away altogether, in whatever way: the page goes on, it is told in time, and it is back within an interval."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from atalaia_simulators.cvepro import InThread, Options
from tests.acceptance.calls import Client
from tests.acceptance.conftest import MakeHub
from tests.acceptance.receiver import Receiver
from tests.acceptance.test_charging import SETTINGS, settings_for
from tests.servers import free_port, wait_until
from tests.stopwatch import Stopwatch

POLL_S, ALERT_AFTER_S = 1.0, 4.0
LATEST_S = POLL_S + ALERT_AFTER_S + POLL_S + 1  # the first reading that fails is within an interval of the outage
ANSWER_S, CONNECT_S = 15.0, 5.0  # what an answer may take there, and a connection
SLOWEST_S = 1.0  # of the page; benchmarks/charging_outage.py has the figure
LOOK_S = 0.05
TITLE = "Chargers can't be read: CVE-Pro"


class Cloud:
    """The vendor's cloud on one port, that can go away and come back."""

    def __init__(self) -> None:
        self.port = free_port()
        self._running: InThread | None = None
        self.come_back()

    def come_back(self) -> None:
        given: dict[str, Any] = {name.lower(): value for name, value in SETTINGS.items()}
        self._running = InThread(Options(**given), port=self.port)
        self._running.start()

    def go(self) -> None:
        if self._running is not None:
            self._running.close()
            self._running = None


@contextmanager
def hung(cloud: Cloud) -> Iterator[None]:
    """Connections are taken, and nothing is ever answered."""
    assert Client(f"http://127.0.0.1:{cloud.port}").post("/_sim/faults", {"hang": True}).status == 200
    yield
    assert Client(f"http://127.0.0.1:{cloud.port}").post("/_sim/faults", {"hang": None}).status == 200


@contextmanager
def refused(cloud: Cloud) -> Iterator[None]:
    cloud.go()
    yield
    cloud.come_back()


@contextmanager
def without_accept(cloud: Cloud) -> Iterator[None]:
    """The machine is there, and nobody takes its connections: they wait in a queue that is full, or get no answer."""
    cloud.go()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", cloud.port))
        listener.listen(0)
        yield
    cloud.come_back()


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    cloud = Cloud()
    yield cloud
    cloud.go()


@pytest.mark.parametrize(("away", "hangs_s"), [(refused, 0), (hung, ANSWER_S), (without_accept, CONNECT_S)])
def test_it_is_told_in_time_served_all_the_while_and_back_within_an_interval(
    away: Callable[[Cloud], Any], hangs_s: float, cloud: Cloud, make_hub: MakeHub, receiver: Receiver
) -> None:
    hub = make_hub(env=settings_for(f"http://127.0.0.1:{cloud.port}")).start()
    admin = hub.client("admin")
    channel = admin.made("/api/channels", {"name": "sink", "kind": "webhook", "url": receiver.url, "secret": "s" * 32})
    admin.made("/api/routes", {"channel": channel["id"], "group_wait_s": 0})
    reader = hub.client("read")

    def told() -> list[float]:
        events = [each for each in receiver.deliveries if each.event == "incident.opened"]
        return [each.at for each in events if each.json["incident"]["title"] == TITLE]

    def is_well() -> bool:
        found = look(reader)
        return "stale" not in found and len(found["data"]) == 20

    wait_until(is_well, what="the first reading")
    with away(cloud):
        began, watch = time.monotonic(), Stopwatch()
        while not told():
            assert len(look(reader)["data"]) == 20
            assert watch.took_s < 2 * LATEST_S + watch.late_s
            time.sleep(LOOK_S)
        assert told()[0] - began <= LATEST_S + watch.late_s
        assert look(reader)["stale"]
    watch = Stopwatch()
    wait_until(is_well, what="it is back", timeout_s=60)
    # What is on its way when the cloud comes back has to run into its limit first: at 30 s an interval, that is within one.
    assert watch.took_s <= POLL_S + 1.5 + hangs_s + watch.late_s
    receiver.await_event("incident.recovered")
    assert len(told()) == 1


def test_a_name_that_is_not_found_is_told_with_what_is_wrong(make_hub: MakeHub, receiver: Receiver) -> None:
    hub = make_hub().start()
    admin = hub.client("admin")
    channel = admin.made("/api/channels", {"name": "sink", "kind": "webhook", "url": receiver.url, "secret": "s" * 32})
    admin.made("/api/routes", {"channel": channel["id"], "group_wait_s": 0})
    hub.stop()
    hub.process.env |= settings_for("http://cloud.invalid")  # the alert must not be there before who hears of it
    hub.start()
    began, watch = time.monotonic(), Stopwatch()
    opened = receiver.await_event("incident.opened")
    assert opened.at - began <= POLL_S + ALERT_AFTER_S + POLL_S + 1 + watch.late_s
    assert opened.json["incident"]["title"] == TITLE
    found = look(hub.client("read"))
    assert (found["stale"], found["data"]) == (True, [])
    assert found["error"]


def look(reader: Client) -> Any:
    watch = Stopwatch()
    answer = reader.get("/api/dashboard/chargers")
    assert answer.status == 200
    assert watch.took_s < SLOWEST_S + watch.late_s
    return answer.json
