"""The worker's side of the hub, in a thread of its own: what came in is on record, and a test says how it answers."""

import hashlib
import http.server
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.servers import wait_until


@dataclass
class Seen:
    path: str
    body: dict[str, Any]


@dataclass
class StubHub:
    """Hands out each of `jobs` once; leases never lapse here unless a test says so."""

    jobs: list[dict[str, Any]] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    ttl_ms: int = 30_000
    states: dict[str, str] = field(default_factory=dict)  # job id -> what a renewal answers
    word: str = "run"
    refuse: Callable[[str], int | None] = lambda _path: None  # a status for a path, in place of an answer
    granted: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # by request id

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.server = _Server(("127.0.0.1", 0), _handler(self))
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def offer(self, type: str, payload: Any = None, **more: Any) -> str:
        raw = json.dumps({} if payload is None else payload)
        job = {
            "id": f"job-{len(self.jobs) + len(self.states) + 1}",
            "type": type,
            "payload_raw": raw,
            "payload_sha256": hashlib.sha256(raw.encode()).hexdigest(),
            "attempt": 1,
            "token": "1-random",
            "ttl_ms": self.ttl_ms,
            "deadline_ms": 0,
            "mode": "run",
            "context_etag": "e1",
            **more,
        }
        with self.lock:
            self.jobs.append(job)
            self.states[job["id"]] = "ok"
        return str(job["id"])

    def of(self, path: str) -> list[dict[str, Any]]:
        with self.lock:
            return [each.body for each in self.seen if each.path == path]

    def ends(self) -> list[dict[str, Any]]:
        with self.lock:
            return [each.body for each in self.seen if each.path.endswith("/complete")]

    def steps(self) -> list[dict[str, Any]]:
        """All that came, in order, with renewals and with ends."""
        with self.lock:
            renewed = [
                step
                for each in self.seen
                if each.path == "/api/leases/renew"
                for item in each.body["items"]
                for step in item.get("steps", [])
            ]
            return renewed + [
                step for each in self.seen if each.path.endswith("/complete") for step in each.body.get("steps", [])
            ]

    def await_ends(self, count: int = 1) -> list[dict[str, Any]]:
        wait_until(lambda: len(self.ends()) >= count, what="the end of a job", timeout_s=60)
        return self.ends()

    # -- answers

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        with self.lock:
            if method == "POST":
                self.seen.append(Seen(path, body))
            status = self.refuse(path)
            if status is not None:
                return status, {"error": {"code": "no", "message": "no"}}, {}
            if path == "/api/leases":
                return self._leases(body)
            if path == "/api/leases/renew":
                items = [
                    {"id": item["id"], "state": self.states.get(item["id"], "lost"), "ttl_ms": self.ttl_ms}
                    for item in body["items"]
                ]
                return 200, {"worker": self.word, "items": items}, {}
            if path.startswith("/api/worker/context/"):
                return 200, {"etag": "e1", "settings": {"pause_s": 0.5}, "templates": {"go": {"v": 1}}}, {}
            return 200, {}, {}

    def _leases(self, body: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        if body["request_id"] not in self.granted:
            wanted = [job for job in self.jobs if job["type"] in body["types"]][: body["max"]]
            self.jobs = [job for job in self.jobs if job not in wanted]
            self.granted[body["request_id"]] = wanted
        jobs = self.granted[body["request_id"]]
        if not jobs:
            del self.granted[body["request_id"]]
            return 204, None, {"X-Atalaia-Worker": self.word}
        return 200, {"server_time": "2026-01-01T00:00:00Z", "jobs": jobs, "worker": self.word}, {}


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_request: Any) -> None:
        """A worker that breaks a question off is no news."""


def _handler(hub: StubHub) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            self._reply("POST", json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def do_GET(self) -> None:
            self._reply("GET", {})

        def _reply(self, method: str, body: dict[str, Any]) -> None:
            status, value, headers = hub.answer(method, self.path, body)
            content = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            for name, text in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_words: Any) -> None:
            return

    return Handler
