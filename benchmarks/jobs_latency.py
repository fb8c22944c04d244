"""From the request that makes a job to its lease in the hands of a worker that waits for one: durable on both ways, nobody else there."""

import json
import socket
import threading
import time
from collections.abc import Sequence

from benchmarks.figures import Figure, percentile
from benchmarks.hub import BenchHub, running_hub
from benchmarks.peers.beside import peers_latencies

JOBS = 400
WARM_UP = 20
P50_MS, P99_MS = 3.0, 8.0


def run() -> Sequence[Figure]:
    with running_hub() as hub:
        took_ms = measure(hub, JOBS)
    p50, p99 = percentile(took_ms, 0.5), percentile(took_ms, 0.99)
    note = "others, measured elsewhere: 1.1 and 1.6 (the best, not durable), Procrastinate 4.2 and 22"
    return [
        Figure("job, created to started: p50", p50, "ms", target=f"≤ {P50_MS:g} ms", met=p50 <= P50_MS, note=note),
        Figure("job, created to started: p99", p99, "ms", target=f"≤ {P99_MS:g} ms", met=p99 <= P99_MS),
        *peers_latencies(),
    ]


def measure(hub: BenchHub, count: int) -> list[float]:
    """Milliseconds of each job after the warm-up."""
    started: dict[str, float] = {}
    ready, taken = threading.Event(), threading.Event()
    worker = threading.Thread(target=_work, args=(hub, count + WARM_UP, started, ready, taken), daemon=True)
    worker.start()
    client = _Connection(hub)
    took_ms = []
    for n in range(count + WARM_UP):
        ready.wait(30)
        ready.clear()
        time.sleep(0.002)  # idle: the worker's question is on its way, and nothing else is
        began = time.perf_counter()
        made = client.post("/api/jobs", {"type": "idle", "payload": {"n": n}})
        taken.wait(30)
        taken.clear()
        took_ms.append((started[made["id"]] - began) * 1000)
    worker.join(30)
    return took_ms[WARM_UP:]


def _work(hub: BenchHub, count: int, started: dict[str, float], ready: threading.Event, taken: threading.Event) -> None:
    leasing, telling = _Connection(hub), _Connection(hub)
    asked = {"worker_id": "bench", "types": ["idle"], "max": 1, "wait_s": 25, "ttl_s": 30}
    for _ in range(count):
        leasing.send("/api/leases", asked)
        ready.set()
        job = leasing.answer()["jobs"][0]
        started[job["id"]] = time.perf_counter()
        taken.set()
        items = [{"id": job["id"], "token": job["token"], "outcome": "succeeded"}]
        telling.post("/api/leases/complete", {"worker_id": "bench", "items": items})


class _Connection:
    """A kept connection, with as little around it as can be."""

    def __init__(self, hub: BenchHub) -> None:
        self._socket = socket.create_connection(("127.0.0.1", hub.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")
        self._head = f"HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {hub.key}\r\nContent-Type: application/json\r\n"

    def send(self, path: str, value: object) -> None:
        body = json.dumps(value).encode()
        self._socket.sendall(f"POST {path} {self._head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def answer(self) -> dict[str, list[dict[str, str]]]:
        length = 0
        while (line := self._file.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        answer: dict[str, list[dict[str, str]]] = json.loads(self._file.read(length))
        return answer

    def post(self, path: str, value: object) -> dict[str, str]:
        self.send(path, value)
        answer: dict[str, str] = self.answer()  # type: ignore[assignment]
        return answer
