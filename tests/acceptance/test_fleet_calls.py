"""The kept calls of fleet commands, as an app makes them."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.calls import Client
from tests.acceptance.fleet import Fleet
from tests.servers import wait_until

pytestmark = pytest.mark.acceptance
START = "/api/scheme-builder/start"
_numbers = itertools.count(5000)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("fleet-calls")).started() as fleet:
        fleet.fault(progress_step=50, progress_interval_s=0.1)
        yield fleet


def body(**changes: Any) -> dict[str, Any]:
    number = next(_numbers)
    return {
        "clientId": number,
        "clientName": "Transportes Zé",
        "vehicleId": str(number),
        "vehicleSettingId": 91,
        "comment": "troca",
        **changes,
    }


def test_a_start_is_a_queued_job_with_an_address_for_its_events(fleet: Fleet) -> None:
    started = fleet.app.post(START, body())

    assert started.status == 202
    assert started.json["status"] == "pending"
    events = Client(fleet.hub.url).get(started.json["eventsUrl"])  # the ticket stands for a key
    assert events.status == 200
    assert "event: step" in events.text
    assert events.text.rstrip().splitlines()[-2] == "event: end"


def test_every_wrong_field_is_named(fleet: Fleet) -> None:
    answer = fleet.app.post(START, body(clientId="", vehicleId="x", comment=None))

    assert answer.status == 422
    assert set(answer.json["error"]["fields"]) == {"clientId", "vehicleId", "comment"}


def test_one_idempotency_key_is_one_job(fleet: Fleet) -> None:
    said = body()
    headers = {"Content-Type": "application/json", "Idempotency-Key": f"app-{said['vehicleId']}"}
    raw = json.dumps(said).encode()

    first, again, other = (
        fleet.app.request("POST", START, body=sent, headers=headers)
        for sent in (raw, raw, raw.replace(b"troca", b"outra"))
    )

    assert first.json["jobId"] == again.json["jobId"]
    assert other.status == 422
    fleet.finish(first.json["jobId"])
    assert len(fleet.executions(int(said["vehicleId"]))) == 1


def test_the_payload_is_kept_to_the_byte(fleet: Fleet) -> None:
    raw = b'{ "clientId": 8,"n":1e0,"n":1.0, "clientName":"Z\\u00e9","vehicleId":"8008","vehicleSettingId":91,"comment":"a\\/b"}'
    answer = fleet.app.request("POST", START, body=raw, headers={"Content-Type": "application/json"})

    assert answer.status == 202, answer.text
    job = fleet.app.get(f"/api/jobs/{answer.json['jobId']}")
    assert b'"payload":' + raw in job.body
    fleet.finish(answer.json["jobId"])  # what it needs a token for must not happen in another test


def test_jobs_of_one_client_run_one_after_the_other(fleet: Fleet) -> None:
    client = next(_numbers)
    ids = [fleet.start_job(vehicle=next(_numbers), client=client) for _ in range(3)]
    jobs = [fleet.finish(job) for job in ids]

    spans = sorted((job["steps"][0]["startedAt"], job["updatedAt"]) for job in jobs)
    assert {job["status"] for job in jobs} == {"completed"}
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


def test_a_command_goes_out_and_a_setting_is_verified(fleet: Fleet) -> None:
    given = body()
    fleet.finish(fleet.app.post(START, given).json["jobId"])
    command = given | {"commandSyntax": "*SETGEO,1#"}
    del command["vehicleSettingId"]
    vehicle = {name: given[name] for name in ("clientId", "vehicleId", "vehicleSettingId")}

    made = [
        fleet.finish(fleet.app.made("/api/jobs", {"type": kind, "payload": payload})["id"])
        for kind, payload in (
            ("custom_command", command),
            ("verify_scheme", vehicle),
            ("verify_scheme", vehicle | {"vehicleSettingId": 92}),
        )
    ]

    assert [job["status"] for job in made] == ["completed", "completed", "error"], made
    assert made[2]["error"]["class"] == "other_setting"
    assert fleet.executions(int(given["vehicleId"]))[-1]["command"] == "*SETGEO,1#"


def test_a_running_job_is_cancelled_and_started_again(fleet: Fleet) -> None:
    fleet.fault(silent_unit=True)
    given = body()
    job = fleet.app.post(START, given).json["jobId"]
    wait_until(lambda: bool(fleet.executions(int(given["vehicleId"]))), what="the execution")

    cancelled = fleet.app.request("POST", f"/api/jobs/{job}/cancel")
    ended = fleet.finish(job)
    fleet.fault(progress_step=50, progress_interval_s=0.1)
    again = fleet.app.request("POST", f"/api/jobs/{job}/retry")

    assert (cancelled.status, again.status) == (200, 200), (cancelled.text, again.text)
    # It was executed, and nobody waited for its end: that is said.
    assert (ended["status"], ended["state"]) == ("error", "unknown"), ended
    assert fleet.finish(job)["status"] == "completed"


def test_the_token_is_told_of_and_never_told(fleet: Fleet) -> None:
    fleet.finish(fleet.start_job(vehicle=next(_numbers), client=next(_numbers)))
    admin = fleet.hub.client("admin")

    status = admin.get("/api/admin/session-token/status")

    assert set(status.json) == {"hasToken", "tokenLen", "expiresAt", "renewedAt", "source", "path"}
    assert (status.json["hasToken"], status.json["tokenLen"], status.json["source"]) == (True, 42, "login")
    assert fleet.app.post("/api/admin/session-token", {"token": "x" * 42}).status == 403
    assert admin.post("/api/admin/session-token", {"token": "short"}).status == 422
    kept = admin.post("/api/admin/session-token", {"token": "x" * 42})
    assert (kept.status, kept.body) == (204, b"")
    assert admin.get("/api/admin/session-token/status").json["source"] == "manual"
    # One that the third party does not know is replaced by a login of our own.
    assert fleet.finish(fleet.start_job(vehicle=next(_numbers), client=next(_numbers)))["status"] == "completed"


def test_a_call_without_a_key_is_told_what_is_missing(fleet: Fleet) -> None:
    nobody = Client(fleet.hub.url)

    started = nobody.post(START, body())
    admin = nobody.get("/api/admin/session-token/status")
    kept_header = nobody.request(
        "GET", "/api/admin/session-token/status", headers={"x-admin-key": fleet.hub.make_key("admin")}
    )

    assert (started.status, admin.status, kept_header.status) == (401, 401, 200)
    assert "networks" in started.json["error"]["hint"]


def test_an_unknown_job_is_not_found(fleet: Fleet) -> None:
    assert fleet.app.get("/api/jobs/01a20314-45a3-7a13-b874-435977bac1a1").status == 404
