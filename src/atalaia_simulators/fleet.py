"""Jobs of the demo on the simulated fleet platform: one that goes well, one that is refused, one that ends nobody knows how."""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from atalaia_simulators.furnishing import TIMEOUT_S, Api, Refused

GUID: Final = "0A1B2C3D-0001-4002-8003-0123456789AB"
START_S: Final = 30
JOB_S: Final = 60
_ENDED: Final = {"completed", "error", "cancelled"}
# What is on while a job runs, and whose vehicle it is about.
JOBS: Final[tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...]] = (
    ({}, {"clientId": 101, "clientName": "Transportes Aurora", "vehicleId": 7001}),
    (
        {"wrong_type_403": True, "only_actions": ["get_vehicle_info"]},
        {"clientId": 102, "clientName": "Viação Horizonte", "vehicleId": 7002},
    ),
    ({"push_status": "Disconnected"}, {"clientId": 103, "clientName": "Logística Serra Azul", "vehicleId": 7003}),
)


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """The simulator at its address."""

    url: str

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 80

    def turn(self, faults: Mapping[str, Any]) -> None:
        """Those alone; none clears all."""
        for wanted in ({}, faults):
            self._call("POST", "/_sim/faults", json.dumps(wanted).encode())

    def await_start(self) -> None:
        """Raises: OSError: it is not there in time."""
        until = time.monotonic() + START_S
        while True:
            try:
                return self._call("GET", "/_sim/faults", None)
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def _call(self, method: str, path: str, body: bytes | None) -> None:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body=body, headers={"Content-Type": "application/json"})
            connection.getresponse().read()
        finally:
            connection.close()


def settings_for(third_party: ThirdParty) -> dict[str, str]:
    """A hub's environment; quicker than a real unit needs, slow enough to be watched."""
    values = {
        "LOGIN_URL": f"{third_party.url}/appengine_3/{GUID}/1/json",
        "WS_URL": third_party.url.replace("http", "ws", 1),
        "LOGIN_NAME": "demo",
        "PASSWORD": "of the demo alone",
        "APP_GUID": GUID,
        "REVIEW_PAUSE_S": "1",
        "REVIEW_WAIT_S": "1",
        "ANSWER_S": "5",
        "SILENT_S": "5",
        "SILENT_LIMIT_S": "10",
    }
    return {f"ATALAIA_TRAFFILOG_{name}": value for name, value in values.items()}


def start_jobs(app: Api, third_party: ThirdParty) -> None:
    """One after the other, each under its fault; then all is well."""
    try:
        third_party.await_start()
        for faults, about in JOBS:
            third_party.turn(faults)
            body = {**about, "vehicleSettingId": "91", "comment": "demo"}
            job_id = str(app.post("/api/scheme-builder/start", body)["jobId"])
            _await_end(app, job_id)
        third_party.turn({})
    except (OSError, Refused):  # the demo is being ended
        return


def _await_end(app: Api, job_id: str) -> None:
    until = time.monotonic() + JOB_S
    while app.get(f"/api/jobs/{job_id}")["status"] not in _ENDED and time.monotonic() < until:
        time.sleep(0.3)
