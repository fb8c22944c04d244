"""An integration that somebody else installs beside Atalaia works whole: nothing of ours names it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.calls import Client
from tests.acceptance.conftest import MakeHub
from tests.acceptance.hub import ADMIN, PASSWORD, Hub
from tests.acceptance.visitor import Visitor
from tests.acceptance.worker import WorkerProcess, await_job
from tests.integrations.installing import install
from tests.integrations.tidewatch.server import API_KEY, TideServer
from tests.servers import wait_until


@pytest.fixture
def tides() -> Iterator[TideServer]:
    server = TideServer()
    yield server
    server.stop()


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    return install(tmp_path)


@pytest.fixture
def hub(make_hub: MakeHub, installed: dict[str, str], tides: TideServer) -> Hub:
    env = {"ATALAIA_TIDEWATCH_URL": tides.url, "ATALAIA_TIDEWATCH_API_KEY": API_KEY}
    return make_hub(env={**installed, **env}).start()


def test_its_routes_answer_with_its_permission_and_are_described(hub: Hub) -> None:
    client = hub.client("read")
    assert client.get("/api/tidewatch/level").json == {"level_m": 2.5, "is_stale": False}
    assert Client(hub.url).get("/api/tidewatch/level").status == 401
    assert hub.client("ingest").get("/api/tidewatch/level").status == 403
    counted = client.get("/api/tidewatch/counting")
    assert counted.headers["content-type"].startswith("text/event-stream")
    assert counted.text.count("event: tick\n") == 3
    wrong = hub.client("jobs:create").post("/api/tidewatch/gates", {"order": "a", "position": 101})
    assert (wrong.status, wrong.json["error"]["field"]) == (422, "position")
    described = client.get("/openapi.json").json["paths"]
    assert described["/api/tidewatch/gates"]["post"]["summary"] == "Order the gate to a position"
    assert {"401", "403", "422"} <= set(described["/api/tidewatch/level"]["get"]["responses"])
    assert client.get("/health").json["checks"]["integration_tidewatch"] is True


def test_a_call_without_a_key_is_for_networks_that_are_named(
    make_hub: MakeHub, installed: dict[str, str], hub: Hub
) -> None:
    order = {"order": "a", "position": 5}
    refused = Client(hub.url).post("/api/tidewatch/gates", order)
    assert refused.status == 401
    assert "networks" in refused.json["error"]["hint"]
    open_ = make_hub(env={**installed, "ATALAIA_TIDEWATCH_OPEN_NETWORKS": "10.0.0.0/8, 127.0.0.0/8"}).start()
    assert Client(open_.url).post("/api/tidewatch/gates", order).status == 202
    assert Client(open_.url).get("/api/tidewatch/level").status == 401
    assert Client(open_.url, "ata_wrong").post("/api/tidewatch/gates", order).status == 401


def test_its_page_its_form_and_its_settings_are_there_in_both_languages(hub: Hub) -> None:
    hub.make_admin()
    visitor = Visitor(hub.url)
    visitor.sign_in(ADMIN, PASSWORD)
    status, page = visitor.page("/tidewatch")
    assert status == 200
    assert 'href="/tidewatch"' in page
    status, page = visitor.submit("/tidewatch", {"level_m": "high"})
    assert status == 422
    assert visitor.submit("/tidewatch", {"level_m": "3.5"})[0] == 200
    assert "Marés" in visitor.page("/tidewatch?lang=pt-BR")[1]
    settings = visitor.page("/settings")[1]
    assert "Tidewatch" in settings
    assert "Lê a maré e move a comporta." in settings  # the language was chosen above
    assert API_KEY not in settings
    audit = hub.client("read").items("/api/audit")
    assert "tide.noted" in {entry["action"] for entry in audit}


def test_a_secret_set_on_the_page_is_sealed_and_holds_after_a_restart(
    make_hub: MakeHub, installed: dict[str, str], tides: TideServer
) -> None:
    hub = make_hub(env={**installed, "ATALAIA_TIDEWATCH_URL": tides.url}).start()
    hub.make_admin()
    visitor = Visitor(hub.url)
    visitor.sign_in(ADMIN, PASSWORD)
    client = hub.client("read")
    assert client.get("/api/tidewatch/level").status != 200
    form = {"integrations.tidewatch.api_key": API_KEY}
    assert visitor.submit("/settings", form, to="/settings/integrations.tidewatch")[0] == 200
    assert API_KEY not in visitor.page("/settings")[1]
    wait_until(lambda: client.get("/api/tidewatch/level").status == 200, what="the setting")
    hub.restart()
    assert client.get("/api/tidewatch/level").status == 200
    kept = b"".join(path.read_bytes() for path in hub.data_dir.rglob("*") if path.is_file())
    assert API_KEY.encode() not in kept
    assert API_KEY not in hub.process.log.read_text(encoding="utf-8")


def test_its_job_in_the_hub_runs_there(hub: Hub, tides: TideServer) -> None:
    made = hub.client("jobs:create").made("/api/jobs", {"type": "tide_gauge", "payload": {"station": "north"}})
    job = await_job(hub.client("read"), made["id"])
    assert (job["status"], job["result"]) == ("completed", {"level_m": 2.5})
    assert [(step["name"], step["state"]) for step in job["steps"]] == [("level", "done")]
    assert tides.logins == 1


def test_its_job_for_a_worker_runs_there_with_the_hubs_token(
    hub: Hub, tides: TideServer, installed: dict[str, str]
) -> None:
    worker = WorkerProcess(hub, "w1", env=installed).start()
    try:
        made = hub.client("jobs:create").post("/api/tidewatch/gates", {"order": "o1", "position": 30})
        assert made.status == 202
        job = await_job(hub.client("read"), made.json["id"])
        assert (job["status"], job["result"], tides.moved) == ("completed", {"moved": True}, ["o1"])
        assert tides.logins == 1
        assert [path for method, path, _ in tides.received if path == "/login"] == ["/login"]
        assert worker.process.stop() == 0
        assert "canary" not in worker.process.output
        assert "canary" not in hub.process.output
    finally:
        worker.process.kill()


def test_one_that_breaks_keeps_nobody_from_working(
    make_hub: MakeHub, installed: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "site" / "tidewatch" / "integration.py").write_text("raise RuntimeError('broken')\n", encoding="utf-8")
    hub = make_hub(env={**installed, "ATALAIA_TIDEWATCH_API_KEY": API_KEY}).start()
    health = hub.client("read").get("/health")
    assert health.status == 200
    assert health.json["checks"]["integration_tidewatch"] is False
    hub.make_admin()
    visitor = Visitor(hub.url)
    visitor.sign_in(ADMIN, PASSWORD)
    assert "RuntimeError: broken" in visitor.page("/settings")[1]


def test_a_worker_that_has_no_such_type_says_so(hub: Hub) -> None:
    worker = WorkerProcess(hub, "w2", "--types", "nonsense")
    worker.process.launch()
    wait_until(lambda: not worker.process.is_running, what="the end")
    assert worker.process.process is not None
    assert worker.process.process.returncode == 1
    assert "there is no job type nonsense" in worker.process.output
