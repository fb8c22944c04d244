"""The simulated chargers' cloud keeps what its page promises: a day that follows from a seed, tokens, faults."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest

from atalaia_simulators.cvepro import InThread, Options
from tests.acceptance.calls import Answer, Client
from tests.servers import wait_until

NOON = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)
DAY = "/api/v1/transaction?fromDate=2026-01-14%2000:00:00&toDate=2026-01-15%2000:00:00"


class Cloud:
    def __init__(self, url: str) -> None:
        self.client = Client(url)
        self.token = ""

    def login(self) -> Answer:
        answer = self.client.post("/api/v1/login", {"email": "a@example.org", "password": "p"})
        self.token = (answer.json or {}).get("token") or "" if answer.status == 200 else ""
        return answer

    def get(self, path: str) -> Answer:
        return self.client.request("GET", path, headers={"Authorization": self.token})

    def fault(self, **faults: Any) -> Answer:
        return self.client.post("/_sim/faults", faults)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    simulator = InThread(Options(now=NOON.timestamp))
    simulator.start()
    made = Cloud(simulator.url)
    made.login()
    yield made
    simulator.close()


def test_the_same_seed_shows_the_same_day(cloud: Cloud) -> None:
    first, second = cloud.get(DAY).json, cloud.get(DAY).json
    assert first == second
    ids = [item["id"] for item in first["list"]]
    assert len(ids) == len(set(ids)) == first["count"] > 20
    active = [item for item in first["list"] if item["stopTimestamp"] is None]
    assert active
    assert all(item["energy"] is None and item["ocppIdTag"] == "" for item in active)
    busy = [
        item["chargeBoxId"]
        for item in cloud.get("/api/v1/chargepoints").json["chargePointList"]
        if item["connectors"][0]["currentChargingUserName"]
    ]
    assert sorted(busy) == sorted(item["chargeBoxId"] for item in active)


def test_without_a_token_or_with_an_expired_one_it_is_401(cloud: Cloud) -> None:
    assert cloud.client.get("/api/v1/chargepoints").status == 401
    assert cloud.get("/api/v1/tags").status == 200
    cloud.fault(expire_token=True)
    assert cloud.get("/api/v1/chargepoints").status == 401
    assert cloud.login().status == 200
    assert cloud.get("/api/v1/chargepoints").json["count"] == 20


def test_faults_strike_and_are_cleared(cloud: Cloud) -> None:
    cloud.fault(login_status=502, list_status={"value": 503, "times": 1})
    assert cloud.get("/api/v1/chargepoints").status == 503
    assert cloud.get("/api/v1/chargepoints").status == 200
    assert cloud.client.post("/api/v1/login", {"email": "a", "password": "b"}).status == 502
    cloud.fault(rename={"chargePointList": "chargeBoxes"}, empty={"value": True, "only": {"path": "transaction"}})
    assert "chargeBoxes" in cloud.get("/api/v1/chargepoints").json
    assert cloud.get(DAY).json["list"] == []
    cloud.fault()
    assert cloud.get("/api/v1/chargepoints").json["count"] == 20
    assert cloud.fault(login_statsu=1).status == 400


def test_transactions_can_be_doubled_late_and_put_in(cloud: Cloud) -> None:
    before = cloud.get(DAY).json["count"]
    cloud.fault(duplicate=True)
    assert cloud.get(DAY).json["count"] == 2 * before
    cloud.fault(duplicate=None, late_s=6 * 3600)
    assert cloud.get(DAY).json["count"] < before
    cloud.fault()
    cloud.client.made("/_sim/transactions", {"id": 1, "startTimestamp": "15/01/2026 01:00:00"})
    assert cloud.get(DAY).json["count"] == before + 1
    assert date(2026, 1, 15).isoformat() in cloud.client.get("/_sim/log").json[1]["query"]


def test_a_big_past_is_served_and_what_really_was_can_be_read(cloud: Cloud) -> None:
    span = cloud.client.made("/_sim/history", {"days": 10, "sessions": 2000, "seed": 5})
    assert span == {"from": "2026-01-05", "to": "2026-01-14"}
    path = "/api/v1/transaction?fromDate=2026-01-05&toDate=2026-01-14"
    records = {each["id"]: each for each in cloud.client.get("/_sim/records").json["records"]}
    listed = {str(each["id"]): each for each in cloud.get(path).json["list"]}
    assert len(records) == len(listed) == 2000
    assert all(listed[id_]["energy"] == each["energy_wh"] for id_, each in records.items())
    cloud.fault(late=0.25, shrunk=0.5)
    troubled = cloud.get(path).json["list"]
    assert 1300 < len(troubled) < 1700
    assert 0.3 < sum(each["energy"] < records[str(each["id"])]["energy_wh"] for each in troubled) / len(troubled) < 0.7
    assert cloud.client.get("/_sim/records").json["count"] == 2000, "what was does not change"
    assert cloud.client.post("/_sim/history", {"days": -1}).status == 400


def test_those_under_way_and_all_tags_are_told_where_asked(cloud: Cloud) -> None:
    cloud.fault(late_s=86_400)
    active = cloud.get("/api/v1/transaction/active").json["list"]
    assert active
    assert all(each["ocppIdTag"] and each["stopValue"] >= each["startValue"] for each in active)
    assert all("stopTimestamp" not in each for each in active)
    tags = cloud.get("/api/v1/tags").json["list"]
    assert len({each["idTag"] for each in tags}) == len(tags) > 40
    assert any(each["userName"] is None for each in tags)


def test_who_is_kept_waiting_is_answered_once_the_fault_is_over(cloud: Cloud) -> None:
    cloud.fault(hang={"value": True, "only": {"path": "tags"}})
    assert cloud.get("/api/v1/chargepoints").status == 200
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(cloud.get, "/api/v1/tags")
        wait_until(lambda: any("tags" in row["path"] for row in cloud.client.get("/_sim/log").json), what="it is asked")
        assert not waiting.done()
        cloud.fault()
        assert waiting.result(timeout=60).status == 200
