"""Fleet commands as they run: hub, simulated third party and worker, each a process on its own port.

with Fleet(tmp_path).started() as fleet:
    job = fleet.finish(fleet.start_job(vehicle=7))
    fleet.executions(7)
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.acceptance.calls import Client
from tests.acceptance.hub import ATALAIA, Hub, Process, environment
from tests.servers import free_port, wait_until

GUID = "0A1B2C3D-0000-4000-8000-0A1B2C3D4E5F"
ENDED = {"completed", "error", "cancelled"}
_SIMULATOR = re.compile(r"traffilog simulator: (http\S+)")
# Pauses are a tenth and less of what a real unit gets; limits are for a machine that may stand still for some seconds.
QUICK: Mapping[str, str] = {
    "PAUSE_S": "0.05",
    "REVIEW_PAUSE_S": "0.05",
    "REVIEW_WAIT_S": "0.1",
    "SLOT_WAIT_S": "0.2",
    "ANSWER_S": "30",
    "RESUBSCRIBE_S": "0.5",
    "SILENT_S": "30",
    "SILENT_LIMIT_S": "30",
    "WHOLE_S": "120",
}


class Fleet:
    """`ttl_s`: how long a job stays with a worker that is not heard of any more."""

    def __init__(self, folder: Path, *, settings: Mapping[str, str] | None = None, ttl_s: int = 30) -> None:
        self.folder = folder
        self.ttl_s = ttl_s
        self.port = free_port()
        self.third_party = Client(f"http://127.0.0.1:{self.port}")
        command = [str(ATALAIA), "simulate", "traffilog", "--port", str(self.port), "--state", str(folder / "book")]
        self.simulator = Process(command, log=folder / "simulator.log", env=environment(), is_warm=True)
        values = {
            "LOGIN_URL": f"http://127.0.0.1:{self.port}/appengine_3/{GUID}/1/json",
            "WS_URL": f"ws://127.0.0.1:{self.port}",
            "LOGIN_NAME": "fleet",
            "PASSWORD": "not a secret",
            "APP_GUID": GUID,
            **QUICK,
            **(settings or {}),
        }
        self.hub = Hub(folder, env={f"ATALAIA_TRAFFILOG_{name}": value for name, value in values.items()})
        self.workers: list[Process] = []

    @contextmanager
    def started(self, *, workers: int = 1) -> Iterator["Fleet"]:
        try:
            self.start_simulator()
            self.hub.start()
            for _ in range(workers):
                self.start_worker()
            yield self
        finally:
            for process in (*self.workers, self.simulator):
                if process.is_running:
                    process.kill()
            self.hub.close()

    def start_simulator(self) -> None:
        self.simulator.launch()
        self.simulator.await_output(_SIMULATOR)

    def start_worker(self, *options: str) -> Process:
        name = f"worker-{len(self.workers) + 1}"
        command = [str(ATALAIA), "worker", "--hub", self.hub.url, "--name", name]
        command += ["--ttl-s", str(self.ttl_s), *options]
        env = environment({"ATALAIA_KEY": self.hub.make_key("jobs:work")})
        worker = Process(command, log=self.folder / f"{name}.log", env=env, is_warm=True)
        worker.launch()
        self.workers.append(worker)
        return worker

    @property
    def app(self) -> Client:
        return self.hub.client("jobs:create", "read")

    def fault(self, **faults: Any) -> None:
        """Those alone; none clears all."""
        for wanted in ({}, faults):
            answer = self.third_party.post("/_sim/faults", wanted)
            assert answer.status in {200, 204}, answer.text

    def start_job(self, *, vehicle: int, client: int = 1, comment: str = "troca") -> str:
        body = {
            "clientId": client,
            "clientName": "Transportes Zé",
            "vehicleId": vehicle,
            "vehicleSettingId": "91",
            "comment": comment,
        }
        answer = self.app.post("/api/scheme-builder/start", body)
        assert answer.status == 202, answer.text
        return str(answer.json["jobId"])

    def job(self, job_id: str) -> dict[str, Any]:
        answer = self.app.get(f"/api/jobs/{job_id}")
        assert answer.status == 200, answer.text
        return dict(answer.json)

    def finish(self, job_id: str, *, timeout_s: float = 120) -> dict[str, Any]:
        """Wait for its end."""
        wait_until(lambda: self.job(job_id)["status"] in ENDED, what=f"the end of {job_id}", timeout_s=timeout_s)
        return self.job(job_id)

    def executions(self, vehicle: int) -> list[dict[str, Any]]:
        """By the third party's own book."""
        book = self.third_party.get("/_sim/vehicles").json
        return list(book.get(str(vehicle), {}).get("executions", []))
