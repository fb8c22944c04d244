"""A hub for a benchmark: a real process on a disk, pinned to its core, with keys for all that is needed."""

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.servers import free_port, running, wait_until

from benchmarks.figures import SERVER_CORE

ROOT = Path(__file__).resolve().parent.parent
ATALAIA = str(ROOT / ".venv" / "bin" / "atalaia")


@dataclass(frozen=True, slots=True)
class BenchHub:
    port: int
    pid: int
    data_dir: Path
    key: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """A JSON request; the answer's value. Fails on anything but 2xx."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        raw = answer.read()
        connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {raw[:300]!r}")
        return json.loads(raw) if raw else None

    def text(self, path: str) -> str:
        """A page as text."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.key}"})
        said = connection.getresponse().read().decode()
        connection.close()
        return said


@contextlib.contextmanager
def running_hub(
    *,
    arguments: Sequence[str] = (),
    core: int = SERVER_CORE,
    folder: Path | None = None,
    database_url: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[BenchHub]:
    """On a real disk (not a tmpfs): what is durable must be paid for."""
    folder = folder or ROOT / "build"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="atalaia-bench-", dir=folder, ignore_cleanup_errors=True) as name:
        data_dir, port = Path(name), free_port()
        environment = {**os.environ, "ATALAIA_ALLOW_PRIVATE_TARGETS": "1", "ATALAIA_LOG_LEVEL": "WARNING"}
        environment |= settings or {}
        if database_url is not None:
            environment["ATALAIA_DATABASE_URL"] = database_url
        command = ["taskset", "-c", str(core), ATALAIA, "serve", "--data-dir", name, "--port", str(port), *arguments]
        with running(command, stdout=subprocess.DEVNULL, env=environment) as process:
            wait_until(lambda: _is_ready(port), what="the hub")
            scopes = ["admin", "agent", "ingest", "read", "write"]
            yield BenchHub(port, process.pid, data_dir, make_key(data_dir, "bench", scopes, environment=environment))


def make_key(data_dir: Path, name: str, scopes: Sequence[str], *, environment: Mapping[str, str] | None = None) -> str:
    options = [option for scope in scopes for option in ("--scope", scope)]
    command = [ATALAIA, "key", "create", name, *options, "--json", "--data-dir", str(data_dir)]
    done = subprocess.run(command, check=True, capture_output=True, env=environment)
    key: str = json.loads(done.stdout)["key"]
    return key


def _is_ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def cpu_s(pid: int) -> float:
    """User and system seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024
