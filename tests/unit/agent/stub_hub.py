"""The hub's side of the wire (`atalaia_agent.wire`), small and obedient, with switches to misbehave."""

import gzip
import json
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Json = dict[str, Any]
KEY = "k" * 40


class StubHub:
    def __init__(self, *, report_interval_s: float = 0.3) -> None:
        self.changed = threading.Condition()
        self.probes: list[Json] = []
        self.tries: list[Json] = []
        self.etag = 1
        self.key = KEY
        self.records: list[Json] = []
        self.batches: list[Json] = []
        self.pings: list[Json] = []
        self.duplicates = 0
        self.high_water: dict[str, int] = {}
        self.answers: deque[tuple[int, Json]] = deque()
        """What the next records batches are answered with, before anything is taken from them."""
        self.forget_answers = 0
        """Take so many batches and drop the connection instead of answering."""
        self.poison: str | None = None
        """A batch with a record of this probe is 422."""
        self.processing_s = 0.0
        self.plans_asked = 0
        self.connections = 0
        self.clock_ahead_s = 0.0
        self._report_interval_s = report_interval_s
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.hub = self
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.is_closing = True
        with self.changed:
            self.changed.notify_all()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def set_plan(self, *probes: Json, tries: tuple[Json, ...] = ()) -> None:
        with self.changed:
            self.probes, self.tries = list(probes), list(tries)
            self.etag += 1
            self.changed.notify_all()

    def results(self, probe_id: str | None = None) -> list[Json]:
        with self.changed:
            found = [record for record in self.records if record["t"] == "result"]
            return [record for record in found if probe_id is None or record["probe"] == probe_id]

    def of_type(self, kind: str) -> list[Json]:
        with self.changed:
            return [record for record in self.records if record["t"] == kind]

    def plan(self, request: Json) -> tuple[int, Json]:
        with self.changed:
            self.plans_asked += 1
            asked = request["etag"]
            until = time.monotonic() + request["wait_s"]
            while asked == str(self.etag) and not self._server.is_closing and time.monotonic() < until:
                self.changed.wait(until - time.monotonic())
            if asked == str(self.etag):
                return 204, {}
            tries, self.tries = self.tries, []
            return 200, {
                "etag": str(self.etag),
                "agent_id": "a-1",
                "name": request["agent"]["name"],
                "server_time": self.now_ms(),
                "settings": {"report_interval_s": self._report_interval_s, "plan_wait_s": 25},
                "probes": self.probes,
                "tries": tries,
            }

    def take(self, batch: Json) -> tuple[int, Json]:
        with self.changed:
            if self.answers:
                return self.answers.popleft()
            if any(record.get("probe") == self.poison for record in batch["records"] if self.poison):
                return 422, {"error": {"code": "bad_record", "message": "a record is wrong"}}
            return 200, self._keep(batch)

    def _keep(self, batch: Json) -> Json:
        spool_id = batch["spool"]["id"]
        mark = self.high_water.get(spool_id, 0)
        fresh = [record for record in batch["records"] if record["seq"] > mark]
        self.duplicates += len(batch["records"]) - len(fresh)
        self.records += fresh
        self.batches.append(batch)
        self.high_water[spool_id] = max([mark, *(record["seq"] for record in fresh)])
        self.changed.notify_all()
        return {
            "accepted": len(fresh),
            "duplicates": len(batch["records"]) - len(fresh),
            "last_seq": self.high_water[spool_id],
            "server_time": self.now_ms(),
        }

    def ping(self, body: Json, key: str | None) -> tuple[int, Json]:
        if key != self.key:
            return 401, {"detail": "Invalid API Key"}
        received = time.time() + self.clock_ahead_s
        with self.changed:
            self.pings.append(body)
        if self.processing_s:
            threading.Event().wait(self.processing_s)
        done = time.time() + self.clock_ahead_s
        return 200, {
            "status": "success",
            "ping_id": body["ping_id"],
            "timestamp_received": _instant(received),
            "timestamp_processed": _instant(done),
            "processing_time_ms": (done - received) * 1_000,
            "network_rtt_ms": None,
            "message": "ok",
        }

    def now_ms(self) -> int:
        return int((time.time() + self.clock_ahead_s) * 1_000)


def _instant(now_s: float) -> str:
    milliseconds = int(now_s * 1_000)
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1_000))
    return f"{whole}.{milliseconds % 1_000:03d}Z"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hub: StubHub
    is_closing = False

    def handle_error(self, *_: object) -> None:
        """A client that was killed is no news here."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        pass

    def setup(self) -> None:
        super().setup()
        self.server.hub.connections += 1

    def do_POST(self) -> None:
        hub = self.server.hub
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        body = json.loads(gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw)
        if self.path == "/api/ping":
            return self._answer(*hub.ping(body, self.headers.get("X-API-Key")))
        if self.path == "/api/agents/enrol":
            is_known = body["token"] == "once"
            granted = {"agent_id": "a-1", "name": body["name"], "key": hub.key}
            return self._answer(201, granted) if is_known else self._answer(401, _error("the token has expired"))
        if self.headers.get("Authorization") != f"Bearer {hub.key}":
            return self._answer(401, _error("this key is not known"))
        if self.path == "/api/agents/plan":
            return self._answer(*hub.plan(body))
        answer = hub.take(body)
        if hub.forget_answers and answer[0] == 200:
            hub.forget_answers -= 1
            self.close_connection = True
            return None
        return self._answer(*answer)

    def _answer(self, status: int, body: Json) -> None:
        payload = json.dumps(body).encode() if status != 204 else b""
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(payload)))
        for name, value in body.pop("headers", {}).items() if status >= 400 else ():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)


def _error(message: str) -> Json:
    return {"error": {"code": "refused", "message": message, "hint": None, "request_id": "r"}}
