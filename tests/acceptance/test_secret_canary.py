"""Secrets are planted where they pass through, and looked for in everything that leaves: in clear text they are nowhere."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.acceptance.fleet import Fleet
from tests.acceptance.hub import ADMIN, PASSWORD, run_cli
from tests.acceptance.visitor import Visitor
from tests.servers import wait_until

pytestmark = pytest.mark.acceptance
LOGIN_PASSWORD = 'Canary-Pa55/word+with"marks'
VEHICLES = range(700, 704)
PAGES = (
    "/",
    "/jobs",
    "/jobs/workers",
    "/upstreams",
    "/upstreams/traffilog",
    "/captures",
    "/settings",
    "/audit",
    "/incidents",
    "/jobs/new?type=scheme_builder",
    "/captures/templates?upstream=traffilog",
    "/captures/templates/traffilog/execute_action_opr",
    "/logs",
    "/snapshots",
)
CALLS = (
    "/api/jobs",
    "/api/workers",
    "/api/upstreams",
    "/api/upstreams/traffilog",
    "/api/upstreams/traffilog/failures",
    "/api/upstreams/traffilog/templates",
    "/api/admin/session-token/status",
    "/api/captures",
    "/api/incidents",
    "/api/snapshot",
    "/api/audit",
    "/api/deliveries",
    "/api/channels",
    "/api/keys",
    "/openapi.json",
    "/metrics",
    "/health",
)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("canary")
    with Fleet(folder, settings={"PASSWORD": LOGIN_PASSWORD}).started() as fleet:
        fleet.hub.make_admin()
        yield fleet


@pytest.fixture(scope="module")
def secrets(fleet: Fleet) -> dict[str, str]:
    """Jobs that succeed and fail, with the token thrown back in errors and pushes; then what must not be found."""
    first = fleet.finish(fleet.start_job(vehicle=VEHICLES[0], client=VEHICLES[0]))
    assert first["status"] == "completed", first
    token = _session_token(fleet)
    fleet.fault(push_error=f"bad session_token {token} of {quote(token)}", progress_interval_s=0.1)
    failed = fleet.finish(fleet.start_job(vehicle=VEHICLES[1], client=VEHICLES[1]))
    assert failed["error"]["class"] == "unit_error"
    fleet.fault(wrong_type_403=True)
    fleet.finish(fleet.start_job(vehicle=VEHICLES[2], client=VEHICLES[2]))
    fleet.fault(login_status=500, token_expired=True)
    last = fleet.start_job(vehicle=VEHICLES[3], client=VEHICLES[3])
    wait_until(
        lambda: b'"state": "irreversible"' in _steps(fleet, last) or fleet.job(last)["attempts"] > 0, what="a try"
    )
    fleet.fault()
    fleet.finish(last)  # with a token of a new login, which everything that is looked at has seen
    return {
        "session token": token,
        "newer session token": _session_token(fleet),
        "login password": LOGIN_PASSWORD,
        "worker's key": fleet.hub.make_key("jobs:work"),
        "app's key": fleet.hub.make_key("jobs:create", "read"),
    }


def _steps(fleet: Fleet, job_id: str) -> bytes:
    return json.dumps(fleet.job(job_id)["steps"]).encode()


def _session_token(fleet: Fleet) -> str:
    """As the third party has received it."""
    received = fleet.third_party.get("/_sim/log").text
    found = re.findall(r'session_token\\?":\\?"([A-Za-z0-9]{42})', received)
    assert found, received[-2000:]
    return str(found[-1])


def _snapshots(visitor: Visitor) -> list[str]:
    """Their addresses."""
    status, page = visitor.page("/snapshots")
    assert status == 200
    return re.findall(r'href="(/snapshots/[^"/]+)"', page)


def forms(secret: str) -> set[bytes]:
    """How it may stand somewhere in clear text."""
    texts = {
        secret,
        quote(secret),
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        json.dumps(json.dumps(secret))[3:-3],
    }
    return {text.encode() for text in texts}


def held_against(secrets: dict[str, str], where: str, content: bytes) -> None:
    found = [name for name, secret in secrets.items() if any(form in content for form in forms(secret))]
    assert not found, f"{where} has the {', '.join(found)} in clear text"


def test_no_secret_is_in_an_answer_a_page_or_an_event(fleet: Fleet, secrets: dict[str, str]) -> None:
    reader, visitor = fleet.hub.client("admin"), Visitor(fleet.hub.url)
    visitor.sign_in(ADMIN, PASSWORD)
    jobs = [job["id"] for job in reader.items("/api/jobs")]
    assert len(jobs) >= len(VEHICLES)
    assert LOGIN_PASSWORD in fleet.third_party.get("/_sim/log").json[0]["raw"].replace('\\"', '"')

    for path in (*CALLS, *(f"/api/jobs/{job}" for job in jobs)):
        answer = reader.get(path)
        assert answer.status == 200, (path, answer.text)
        held_against(secrets, path, answer.body)
    for path in (*PAGES, *(f"/jobs/{job}" for job in jobs)):
        status, page = visitor.page(path)
        assert status == 200, path
        held_against(secrets, path, page.encode())
    for incident in reader.items("/api/incidents"):
        for path in (f"/api/incidents/{incident['id']}", f"/api/incidents/{incident['id']}/post-mortem"):
            held_against(secrets, path, reader.get(path).body)
        held_against(secrets, "an incident's page", visitor.page(f"/incidents/{incident['id']}")[1].encode())
    for job in jobs:
        for part in ("now", "payload", "result"):
            held_against(secrets, part, visitor.page(f"/jobs/{job}/{part}")[1].encode())
    wait_until(lambda: bool(_snapshots(visitor)), what="the first snapshot")
    for name in _snapshots(visitor):
        held_against(secrets, "a kept snapshot", visitor.page(name)[1].encode())
    ended = next(job["id"] for job in reader.items("/api/jobs?status=completed"))
    held_against(secrets, "the events of a job", reader.get(f"/events/{ended}").body)


def test_no_secret_is_in_a_log_or_a_file(fleet: Fleet, secrets: dict[str, str]) -> None:
    assert "session_token" in fleet.third_party.get("/_sim/log").text
    logs = [fleet.hub.process.log, *(worker.log for worker in fleet.workers)]
    files = [path for path in fleet.hub.data_dir.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" or "wal" in path.name or "sqlite" in path.name for path in files), files

    for path in (*logs, *files):
        held_against(secrets, path.name, path.read_bytes())


def test_no_secret_is_in_a_snapshot(fleet: Fleet, secrets: dict[str, str]) -> None:
    taken = fleet.hub.cli("snapshot", "--stdout", "--note", "for the test")
    assert taken.returncode == 0, taken.stderr
    assert "42 characters" in taken.stdout
    asked = run_cli(
        "snapshot", "--hub", fleet.hub.url, "--stdout", env={"ATALAIA_KEY": (key := fleet.hub.make_key("admin"))}
    )
    assert asked.returncode == 0, asked.stderr
    for text in (taken.stdout, asked.stdout):
        assert '"event":' in text, "the log is in it"
        held_against({**secrets, "admin's key": key}, "the snapshot", text.encode())


def test_no_secret_is_in_a_backup(fleet: Fleet, secrets: dict[str, str], tmp_path: Path) -> None:
    backup, restored = tmp_path / "backup.tar.zst", tmp_path / "restored"
    done = fleet.hub.cli("backup", "--to", str(backup))
    assert done.returncode == 0, done.stderr
    back = run_cli("restore", str(backup), "--data-dir", str(restored), "--without-key")
    assert back.returncode == 0, back.stderr

    copies = [path for path in restored.rglob("*") if path.is_file()]
    assert copies
    for path in (backup, *copies):
        held_against(secrets, path.name, path.read_bytes())


def test_no_secret_is_in_what_a_job_by_hand_shows(fleet: Fleet, secrets: dict[str, str], tmp_path: Path) -> None:
    payload = tmp_path / "payload.json"
    payload.write_text('{"clientId":"9","vehicleId":"700","vehicleSettingId":"91"}')
    key = fleet.hub.make_key("jobs:work", "jobs:create", "read")
    done = run_cli(
        "job", "run", "verify_scheme", "--payload", str(payload), "--hub", fleet.hub.url, env={"ATALAIA_KEY": key}
    )

    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "get_vehicle_info" in done.stdout
    held_against({**secrets, "key": key}, "the terminal", (done.stdout + done.stderr).encode())
