"""`atalaia worker` as a process."""

from collections.abc import Mapping
from typing import Any

from tests.acceptance.calls import Client
from tests.acceptance.hub import ATALAIA, Hub, Process, environment
from tests.servers import wait_until

ENDED = {"completed", "error", "cancelled"}


class WorkerProcess:
    """`process` has kill, stop, output; a name of its own for each."""

    def __init__(
        self, hub: Hub, name: str, *options: str, url: str | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        command = [str(ATALAIA), "worker", "--hub", url or hub.url, "--name", name, *options]
        given = {"ATALAIA_KEY": hub.make_key("jobs:work"), **(env or {})}
        self.process = Process(command, log=hub.folder / f"worker-{name}.log", env=environment(given), is_warm=True)

    def start(self) -> "WorkerProcess":
        self.process.launch()
        return self


def await_job(client: Client, job_id: str, *states: str, timeout_s: float = 60) -> dict[str, Any]:
    """The job once its status or state is one of these (ended, by default)."""
    wanted = set(states) or ENDED

    def look() -> dict[str, Any]:
        found: dict[str, Any] = client.get(f"/api/jobs/{job_id}").json
        return found

    wait_until(lambda: bool({look()["status"], look()["state"]} & wanted), what=f"job {job_id}", timeout_s=timeout_s)
    return look()
