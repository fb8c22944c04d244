"""One login at a time, right across processes: two hubs on one PostgreSQL race for it; one of them may die in the middle."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import text

from atalaia.store.opening import migrate_store, open_store
from tests.conftest import SOURCE

pytestmark = pytest.mark.acceptance
ROOT = SOURCE.parent.parent


@dataclass
class Desk:
    """Where logins arrive. `gate` holds them back."""

    logins: int = 0
    arrived: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/login"


@contextmanager
def a_desk() -> Iterator[Desk]:
    desk = Desk()
    desk.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            desk.logins += 1
            body = f"session-token-of-login-{desk.logins}".encode()
            desk.arrived.set()
            desk.gate.wait(30)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(BrokenPipeError):  # the one who asked was killed
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    desk.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield desk
    finally:
        desk.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def a_racer(database_url: str, desk: Desk, *rejected: int) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.acceptance.login_racer", database_url, desk.url, *map(str, rejected)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def _go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def _generations(process: "subprocess.Popen[str]") -> set[str]:
    assert process.stdout is not None
    said = next(line for line in process.stdout if line.startswith("generations "))
    return set(said.split()[1:])


@pytest.fixture
def migrated(new_database: Callable[[], str], tmp_path: Path) -> str:
    url = new_database()
    store = open_store(tmp_path, database_url=url)
    migrate_store(store, [SOURCE / name / "migrations" for name in ("access", "upstreams")])
    store.close()
    return url


def test_two_processes_that_race_for_a_login_make_exactly_one(migrated: str) -> None:
    with a_desk() as desk:
        for expected in (1, 2):
            rejected = (expected - 1,) if expected > 1 else ()
            with ExitStack() as stack:
                racers = [stack.enter_context(a_racer(migrated, desk, *rejected)) for _ in range(2)]
                for racer in racers:
                    _go(racer)
                assert [_generations(racer) for racer in racers] == [{str(expected)}] * 2
            assert desk.logins == expected


def test_a_process_killed_in_the_middle_of_its_login_holds_nobody_up_beyond_its_lease(
    migrated: str, tmp_path: Path
) -> None:
    with a_desk() as desk:
        desk.gate.clear()
        with a_racer(migrated, desk) as killed:
            _go(killed)
            assert desk.arrived.wait(90)
            killed.kill()
            killed.wait()
        desk.gate.set()
        store = open_store(tmp_path, database_url=migrated)
        # Forty seconds later, as the rows have it.
        store.write_now(
            lambda tx: tx.execute(text("UPDATE upstream_tokens SET login_until_at = login_until_at - 40000"))
        )
        store.close()
        with a_racer(migrated, desk) as second:
            _go(second)
            assert _generations(second) == {"1"}
        assert desk.logins == 2
