"""What is refused, and how: the status, a stable code, and the field that is wrong."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atalaia.jobs.model.wire import MAX_PAYLOAD_BYTES, MAX_STEP_BYTES
from atalaia.store.opening import open_store
from atalaia.store.store import Store
from tests.conftest import SOURCE
from tests.fakes import FakeClock
from tests.store.jobs_site import SLICES, Json, Site, make_site, opened
from tests.tables import copy_tables

JOB = {"type": "mow", "payload": {}}
LEASE = {"worker_id": "w1", "types": ["mow"]}
STEP = {"n": 1, "name": "s", "state": "started"}
GOOD = "1.1.secret"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    copy_tables(tmp_path, [SOURCE / name / "migrations" for name in SLICES])
    store = open_store(tmp_path)
    yield store
    store.close()


def ask(store: Store, tmp_path: Path, method: str, path: str, **more: Any) -> tuple[int, Json]:
    async def run() -> tuple[int, Json]:
        async with opened(make_site(store, FakeClock(), tmp_path)) as site:
            return await _send(site, method, path, **more)

    return asyncio.run(run())


async def _send(
    site: Site, method: str, path: str, *, scopes: tuple[str, ...] | None = None, **more: Any
) -> tuple[int, Json]:
    headers = await site.key(*scopes) if scopes else {} if scopes == () else None
    async with site.client(headers) as client:
        answer = await client.request(method, path, **more)
    said: Json = answer.json()["error"] if answer.status_code >= 400 else {}
    return answer.status_code, said


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/api/jobs", JOB | {"type": ""}, 422, "type"),
        ("/api/jobs", JOB | {"type": "a\0b"}, 422, "type"),
        ("/api/jobs", JOB | {"priority": 1001}, 422, "priority"),
        ("/api/jobs", JOB | {"priority": "1"}, 422, "priority"),
        ("/api/jobs", JOB | {"run_at": "2026-01-01T00:00:00"}, 422, "run_at"),
        # Later than the last year anywhere: it was taken, and no list with this job could be shown any more.
        ("/api/jobs", JOB | {"run_at": "9999-12-31T23:59:59-14:00"}, 422, "run_at"),
        ("/api/jobs", JOB | {"run_at": "9999-12-31T23:59:59Z"}, 422, "run_at"),
        ("/api/jobs", JOB | {"run_at": "0001-01-01T00:00:00+14:00"}, 422, "run_at"),
        ("/api/jobs", JOB | {"max_attempts": 0}, 422, "max_attempts"),
        ("/api/jobs", JOB | {"unique_key": ""}, 422, "unique_key"),
        ("/api/jobs", {"type": "drive", "payload": {"client": 1}}, 422, "payload.client"),
        ("/api/jobs/bulk", {"items": []}, 422, "items"),
        ("/api/jobs/bulk", {"items": 1}, 422, "items"),
        ("/api/leases", LEASE | {"types": []}, 422, "types"),
        ("/api/leases", LEASE | {"wait_s": 26}, 422, "wait_s"),
        ("/api/leases", LEASE | {"ttl_s": 0}, 422, "ttl_s"),
        ("/api/leases", LEASE | {"max": 1001}, 422, "max"),
        ("/api/leases", LEASE | {"worker_id": "a\0"}, 422, "worker_id"),
        ("/api/leases/renew", {"worker_id": "w", "items": [{"id": "x", "token": "x"}]}, 422, "token"),
        (
            "/api/leases/renew",
            {"worker_id": "w", "items": [{"id": "x", "token": GOOD, "steps": [STEP | {"state": "maybe"}]}]},
            422,
            "items[0].steps[0].state",
        ),
        ("/api/leases/complete", {"items": [{"id": "x", "token": GOOD, "outcome": "won"}]}, 422, "items[0].outcome"),
        ("/api/jobs/x/complete", {"token": "nonsense", "outcome": "succeeded"}, 422, "token"),
        ("/api/jobs/x/complete", {"token": GOOD}, 422, "outcome"),
        ("/api/jobs/retry", {"states": ["leased"]}, 422, "states"),
        ("/api/jobs/x/complete", {"token": GOOD, "outcome": "succeeded"}, 410, None),
        ("/api/jobs/x/cancel", {}, 404, None),
        ("/api/jobs/x/retry", {}, 404, None),
        ("/api/workers/x/drain", {}, 404, None),
    ],
)
def test_what_is_wrong_is_named(
    store: Store, tmp_path: Path, path: str, body: Any, status: int, field: str | None
) -> None:
    got, error = ask(store, tmp_path, "POST", path, json=body)
    assert (got, error.get("field", field)) == (status, field), error
    assert set(error) >= {"code", "message", "hint", "request_id"}


@pytest.mark.parametrize(
    "path", ["/api/jobs", "/api/jobs/bulk", "/api/leases", "/api/leases/renew", "/api/leases/complete"]
)
def test_what_is_not_json_is_refused_as_such(store: Store, tmp_path: Path, path: str) -> None:
    assert ask(store, tmp_path, "POST", path, content=b"{")[0] == 400
    assert ask(store, tmp_path, "POST", path, content=b"{}", headers={"content-type": "text/xml"})[0] == 415
    assert ask(store, tmp_path, "POST", path, scopes=(), json={})[0] == 401
    assert ask(store, tmp_path, "POST", path, scopes=("read",), json={})[0] == 403


@pytest.mark.parametrize("payload", [b'"a\x01b"', b'"\xff"', b"01", b"[1,]", b"NaN", b'"\\ud800"'])
def test_a_payload_that_is_no_json_is_refused(store: Store, tmp_path: Path, payload: bytes) -> None:
    content = b'{"type":"mow","payload":' + payload + b"}"
    assert ask(store, tmp_path, "POST", "/api/jobs", content=content)[0] == 400


def test_a_payload_that_is_nothing_but_brackets_is_refused(store: Store, tmp_path: Path) -> None:
    content = b'{"type":"mow","payload":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    assert ask(store, tmp_path, "POST", "/api/jobs", content=content)[0] == 400


def test_two_payloads_are_refused_before_one_is_lost(store: Store, tmp_path: Path) -> None:
    content = b'{"payload":1,"type":"mow","payload":2}'
    status, error = ask(store, tmp_path, "POST", "/api/jobs", content=content)
    assert (status, error["code"], error["field"]) == (422, "invalid_field", "payload")


def test_what_is_too_large_is_refused(store: Store, tmp_path: Path) -> None:
    large = "x" * MAX_PAYLOAD_BYTES
    status, error = ask(store, tmp_path, "POST", "/api/jobs", json=JOB | {"payload": large})
    assert (status, "payload" in error["message"]) == (413, True)
    step = STEP | {"data": {"x": "x" * MAX_STEP_BYTES}}
    body = {"worker_id": "w", "items": [{"id": "x", "token": GOOD, "steps": [step]}]}
    assert ask(store, tmp_path, "POST", "/api/leases/renew", json=body)[0] == 413
    ended = {"token": GOOD, "outcome": "succeeded", "result": large}
    assert ask(store, tmp_path, "POST", "/api/jobs/x/complete", json=ended)[0] == 413


@pytest.mark.parametrize("data", [b"1e999", b"1" * 5_000, b'{"x":-1e999}'])
def test_a_steps_data_that_nobody_could_read_again_is_refused(store: Store, tmp_path: Path, data: bytes) -> None:
    """It was kept, and from then on neither the job's page nor the lease that brings its earlier steps could be made."""
    step = b'{"n":1,"name":"s","state":"started","data":' + data + b"}"
    body = b'{"worker_id":"w","items":[{"id":"x","token":"1.1.secret","steps":[' + step + b"]}]}"
    status, error = ask(store, tmp_path, "POST", "/api/leases/renew", content=body)
    assert (status, error["field"]) == (422, "data")


def test_reading_asks_for_what_is_there(store: Store, tmp_path: Path) -> None:
    assert ask(store, tmp_path, "GET", "/api/jobs/none")[0] == 404
    assert ask(store, tmp_path, "GET", "/api/jobs?status=leased")[0] == 422
    assert ask(store, tmp_path, "GET", "/api/jobs?cursor=x")[0] == 422
    assert ask(store, tmp_path, "GET", "/api/jobs?created_from=2026-01-01T00:00:00")[0] == 422
    assert ask(store, tmp_path, "GET", "/api/worker/context/none")[0] == 404
    assert ask(store, tmp_path, "GET", "/api/worker/context/drive")[0] == 200
    assert ask(store, tmp_path, "GET", "/api/jobs", scopes=("jobs:work",))[0] == 403
