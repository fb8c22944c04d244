"""Samples over HTTP: a real hub, real requests; kill -9 among them."""

import gzip
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import pytest

from tests.acceptance.calls import Answer, Client
from tests.acceptance.hub import Hub

pytestmark = pytest.mark.acceptance
IMPORT = "/api/v1/import/prometheus"
KILLS = int(os.environ.get("ATALAIA_TEST_KILLS", "4"))
SEED = int(os.environ.get("ATALAIA_TEST_SEED", "20260115"))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    made = Hub(tmp_path_factory.mktemp("metrics"))
    try:
        yield made.start()
    finally:
        made.close()


@pytest.fixture
def sender(hub: Hub) -> Client:
    return hub.client("ingest")


@pytest.fixture
def reader(hub: Hub) -> Client:
    return hub.client("read")


def post(client: Client, body: bytes, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request("POST", IMPORT, body=body, headers={"Content-Type": "text/plain", **named})


def ask(client: Client, **parameters: Any) -> Answer:
    renamed = {name.rstrip("_"): value for name, value in parameters.items()}
    return client.get(f"/api/series/query?{urlencode(renamed)}")


def now_ms() -> int:
    return int(time.time() * 1000)


def test_what_was_sent_is_asked_for(sender: Client, reader: Client) -> None:
    at = now_ms() - 7_200_000
    body = f'sent{{host="a"}} 1.5 {at}\nsent{{host="a"}} 2.5 {at + 1000}\nsent{{host="b"}} 9 {at}\n'.encode()
    assert post(sender, body).status == 204
    assert post(sender, gzip.compress(body), Content_Encoding="gzip").status == 204
    answer = ask(reader, metric="sent", labels="host=a", from_="-3h", step="1s", agg="last")
    assert answer.status == 200
    found = answer.json
    assert found["next"] is None
    assert found["step_s"] == 1
    assert found["items"][0]["labels"] == {"host": "a"}
    assert found["items"][0]["values"] == [1.5, 2.5]
    assert found["items"][0]["times"] == [at - at % 1000, at - at % 1000 + 1000]


@pytest.mark.parametrize("kind", ["text/plain", "text/plain; version=0.0.4", "application/x-www-form-urlencoded"])
def test_usual_content_types_pass(sender: Client, kind: str) -> None:
    assert post(sender, b"typed 1\n", Content_Type=kind).status == 204


def test_bad_lines_are_answered_by_number(sender: Client) -> None:
    answer = post(sender, b"good 1\nbad\ngood 2 x\n")
    assert answer.status == 200
    assert answer.json["accepted"] == 1
    assert [each["line"] for each in answer.json["rejected"]] == [2, 3]
    assert all(each["why"] for each in answer.json["rejected"])


@pytest.mark.parametrize(
    ("make", "headers", "status"),
    [
        (lambda: b"not a sample\n", {}, 400),
        (lambda: b"x 1\n", {"Content_Type": "image/png"}, 415),
        (lambda: b"x 1\n", {"Content_Encoding": "br"}, 415),
        (lambda: b"x 1\n", {"Content_Encoding": "gzip"}, 400),
        (lambda: b"x 1\n" * 3_000_000, {}, 413),
        (lambda: gzip.compress(b"\n" * 40_000_000), {"Content_Encoding": "gzip"}, 413),
    ],
)
def test_bad_bodies_are_refused(
    sender: Client, make: Callable[[], bytes], headers: dict[str, str], status: int
) -> None:
    answer = post(sender, make(), **headers)
    assert answer.status == status
    assert answer.json["error"]["message"]


def test_more_series_than_a_sender_may_have_are_refused_with_the_limit(hub: Hub) -> None:
    flood = hub.make_key("ingest", "jobs:work")
    answer = post(Client(hub.url, flood), "".join(f'flood{{id="{n}"}} 1\n' for n in range(10_000)).encode())
    assert answer.status == 200
    assert answer.json["rejected_total"] >= 1
    assert "limit" in answer.json["rejected"][0]["why"]
    assert "9999" in answer.json["rejected"][0]["why"]


def test_a_key_needs_the_scope(hub: Hub, sender: Client, reader: Client) -> None:
    assert post(Client(hub.url), b"x 1\n").status == 401
    assert post(Client(hub.url, "wrong"), b"x 1\n").status == 401
    assert post(reader, b"x 1\n").status == 403
    assert ask(sender, metric="x").status == 403
    assert sender.get(IMPORT).status == 405


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"metric": ""}, "metric"),
        ({"from_": "yesterday"}, "from"),
        ({"from_": "nan"}, "from"),
        ({"to": "1e400"}, "to"),
        ({"from_": "now", "to": "-1h"}, "from"),
        ({"step": "0"}, "step"),
        ({"step": "fast"}, "step"),
        ({"step": "1ms"}, "step"),
        ({"agg": "median"}, "agg"),
        ({"labels": "host"}, "labels"),
        ({"labels": "host=~("}, "labels"),
        ({"labels": '{"host": 5}'}, "labels"),
    ],
)
def test_a_wrong_question_is_told_by_its_field(reader: Client, parameters: dict[str, str], field: str) -> None:
    answer = ask(reader, **{"metric": "m", **parameters})
    assert answer.status == 422
    assert answer.json["error"]["field"] == field


def test_series_are_explored_page_by_page(sender: Client, reader: Client) -> None:
    post(sender, b'# TYPE explored_total counter\nexplored_total{x="1"} 1\nexplored_total{x="2"} 1\n')
    first = reader.get("/api/series?metric=explored_total&limit=1").json
    second = reader.get(f"/api/series?metric=explored_total&limit=1&cursor={first['next']}").json
    assert [first["items"][0]["labels"], second["items"][0]["labels"]] == [{"x": "1"}, {"x": "2"}]
    names = reader.get("/api/series/names?q=explored").json["items"]
    assert names == [{"name": "explored_total", "series": 2, "type": "counter", "help": ""}]
    assert reader.get("/api/series?cursor=nonsense").status == 422
    assert reader.get("/api/forwarding").json == {"items": [], "next": None}


def test_the_metrics_page_is_open_here_and_takes_a_key_through_a_proxy(
    hub: Hub, sender: Client, reader: Client
) -> None:
    page = Client(hub.url).get("/metrics")
    assert page.status == 200
    assert page.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE network_latency_rtt_seconds histogram" in page.text
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        forwarded = {name: "203.0.113.9"}
        assert Client(hub.url).request("GET", "/metrics", headers=forwarded).status == 401
        assert sender.request("GET", "/metrics", headers=forwarded).status == 403
        assert reader.request("GET", "/metrics", headers=forwarded).status == 200


class Load:
    """Bodies of samples, one after the other, each sample at a second of its own; what was answered with 204 is kept."""

    def __init__(self, client: Client, start_s: int) -> None:
        self.client = client
        self.next_s = self.start_s = start_s
        self.acknowledged: set[int] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            seconds = list(range(self.next_s, self.next_s + 5))
            body = "".join(f"killed {second % 1000} {second * 1000}\n" for second in seconds).encode()
            try:
                answer = post(self.client, body)
            except OSError:
                self._stop.wait(0.05)
                continue
            # A body that got no answer is sent again as it was: a sample that is there already counts once.
            if answer.status == 204:
                self.acknowledged.update(seconds)
                self.next_s += 5


def count_each_second(reader: Client, from_s: int, to_s: int) -> dict[int, float]:
    """In pieces: the load may have come further than one answer has steps."""
    counted: dict[int, float] = {}
    for begin_s in range(from_s, to_s, 10_000):
        end_s = min(begin_s + 10_000, to_s)
        answer = ask(reader, metric="killed", from_=begin_s * 1000, to=end_s * 1000, step="1s", agg="count")
        assert answer.status == 200, answer.text
        for found in answer.json["items"]:
            counted.update(zip(found["times"], found["values"], strict=True))
    return counted


def test_every_acknowledged_sample_is_there_once_however_often_the_hub_is_killed(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    hub = Hub(tmp_path, env={"ATALAIA_METRICS_SEAL_EVERY_S": "1"}).start()
    try:
        sender, reader = hub.client("ingest"), hub.client("read")
        start_s = int(time.time()) - 9_000
        with Load(sender, start_s) as load:
            for _ in range(KILLS):
                time.sleep(chance.uniform(0.3, 2.5))  # load goes on for a random while: this is the fault, not a wait
                hub.kill()
                hub.start()
        counted = count_each_second(reader, start_s, load.next_s + 10)
        assert load.acknowledged
        assert {second * 1000 for second in load.acknowledged} <= set(counted)
        assert set(counted.values()) == {1.0}
    finally:
        hub.close()
