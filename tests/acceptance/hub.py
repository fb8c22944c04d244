"""Hub, agent and receiver as real processes and servers, for all acceptance tests.

def test_x(hub: Hub, receiver: Receiver) -> None:
    client = hub.client("read", "write")       # a new key with these scopes
    agent = hub.agent("sp-1")                  # a process, stopped with the hub
    hub.kill(); hub.start()                    # kill -9, and up again on the same directory and port
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from atalaia.access.passwords import PasswordHasher
from atalaia.access.service.keys import create_key
from atalaia.access.service.people import create_person
from atalaia.cli.stores import operator
from atalaia.core.permissions import Role
from atalaia.sdk.transaction import Tx
from atalaia.store.opening import open_store
from tests.acceptance.calls import Client
from tests.acceptance.nursery import Child, Files
from tests.servers import free_port, wait_until
from tests.tables import copy_tables

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent.parent
ATALAIA = Path(sys.executable).with_name("atalaia")
ADMIN = "admin@example.org"
PASSWORD = "correct horse battery staple"
# Long enough on a machine that does much else; what the product promises is 15 s to end (deploy/systemd), shown in test_cli.
START_TIMEOUT_S = 90
STOP_TIMEOUT_S = 45
READ_WHEN_LOADED = ("ATALAIA_COMMIT",)  # a process of the nursery has read it already
_READY = re.compile(r"Atalaia is listening on (http\S+)")
_FIRST_START = re.compile(r"(http\S+/first-start\?token=\S+)")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a process of ours inherits: nothing of the caller's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ATALAIA_")}
    return {**kept, "PYTHONUNBUFFERED": "1", **(extra or {})}


def run_cli(
    *arguments: str,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    timeout_s: float = 120,
    is_cold: bool = False,
) -> "subprocess.CompletedProcess[str]":
    """A command to its end. `is_cold`: through the program itself; else from the nursery."""
    command = [str(ATALAIA), *arguments]
    if is_cold or not _is_fit_for_nursery(environment(env)):
        return subprocess.run(
            command, input=stdin, env=environment(env), capture_output=True, text=True, timeout=timeout_s, check=False
        )
    with tempfile.TemporaryDirectory(prefix="atalaia-cli-") as folder:
        files = Files(*(Path(folder) / name for name in ("stdout", "stderr", "stdin")))
        files.stdin.write_text(stdin)
        child = Child(command, files=files, env=environment(env), cwd=Path.cwd())
        try:
            code = child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            raise
        return subprocess.CompletedProcess(command, code, files.stdout.read_text(), files.stderr.read_text())


def _is_fit_for_nursery(env: Mapping[str, str]) -> bool:
    given = environment()
    return all(env.get(name) == given.get(name) for name in READ_WHEN_LOADED)


class Process:
    """A program whose output goes to a file; it can be killed and started again. `is_warm`: ours, from the nursery."""

    def __init__(self, command: list[str], *, log: Path, env: Mapping[str, str], is_warm: bool = False) -> None:
        self.command = command
        self.log = log
        self.env = dict(env)
        self.is_warm = is_warm
        self.process: subprocess.Popen[bytes] | Child | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def output(self) -> str:
        """What it has said since its last start."""
        return self.log.read_bytes()[self._log_start :].decode(errors="replace") if self.log.exists() else ""

    def launch(self) -> None:
        assert not self.is_running
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        if self.is_warm and _is_fit_for_nursery(self.env):
            files = Files(self.log, self.log)
            self.process = Child(self.command, files=files, env=self.env, cwd=self.log.parent)
            return
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=self.env, cwd=self.log.parent
            )

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self, *, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """SIGTERM; its exit status. One that won't stop in time is killed, and that is a failure."""
        assert self.process is not None
        self.process.terminate()
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def await_output(self, pattern: "re.Pattern[str]", *, timeout_s: float = START_TIMEOUT_S) -> "re.Match[str]":
        wait_until(lambda: not self.is_running or bool(pattern.search(self.output)), what="output", timeout_s=timeout_s)
        found = pattern.search(self.output)
        assert found is not None, (
            f"{' '.join(self.command[:3])} ended with {self.process and self.process.returncode}:\n{self.output}"
        )
        return found


class Hub:
    """`atalaia serve` on a directory and a port that stay the same over restarts.

    `is_cold`: through the command itself, and on an empty directory; else from the nursery, and on tables made before.
    """

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str | None = None,
        env: Mapping[str, str] | None = None,
        port: int = 0,
        is_cold: bool = False,
    ) -> None:
        self.folder = folder
        self.data_dir = folder / "hub"
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database_url = database_url
        settings = {"ATALAIA_ALLOW_PRIVATE_TARGETS": "1", **(env or {})}
        command = [str(ATALAIA), "serve", "--data-dir", str(self.data_dir), "--port", str(self.port)]
        command += ["--database-url", database_url] if database_url else []
        self._is_cold = is_cold
        self.process = Process(command, log=folder / "hub.log", env=environment(settings), is_warm=not is_cold)
        self.agents: list[Agent] = []
        self._keys: dict[tuple[str, ...], str] = {}

    def start(self) -> "Hub":
        if not self._is_cold and self.database_url is None and not self.data_dir.exists():
            copy_tables(self.data_dir)
        self.process.launch()
        self.process.await_output(_READY)
        return self

    @property
    def first_start(self) -> str | None:
        """The one-time address that makes the first account, if it was printed."""
        found = _FIRST_START.search(self.process.output)
        return found[1] if found else None

    def kill(self) -> None:
        self.process.kill()

    def stop(self, *, timeout_s: float = STOP_TIMEOUT_S) -> int:
        return self.process.stop(timeout_s=timeout_s)

    def restart(self) -> "Hub":
        self.stop()
        return self.start()

    def close(self) -> None:
        """End everything, whatever state it is in."""
        for agent in self.agents:
            agent.kill()
        self.kill()

    def cli(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """A command on this hub's directory."""
        where = {"ATALAIA_DATA_DIR": str(self.data_dir)}
        if "PYTHONPATH" in self.process.env:  # what is installed for the hub is so for its commands
            where["PYTHONPATH"] = self.process.env["PYTHONPATH"]
        if self.database_url:
            where["ATALAIA_DATABASE_URL"] = self.database_url
        return run_cli(*arguments, stdin=stdin, env=where)

    def make_admin(self, email: str = ADMIN, password: str = PASSWORD) -> tuple[str, str]:
        """Beside the hub, as `atalaia user create` does it, and a command's start quicker."""
        hasher = PasswordHasher()
        try:
            hashed = hasher.hash(password)
        finally:
            hasher.close()
        now = datetime.now(UTC)
        self._write(
            lambda tx: create_person(tx, operator(), email=email, role=Role.ADMIN, password_hash=hashed, now=now)
        )
        return email, password

    def make_key(self, *scopes: str) -> str:
        """A key with these scopes; the same one for the same scopes. The first is made as by command, the rest by it."""
        if scopes not in self._keys:
            if ("admin",) not in self._keys:
                now = datetime.now(UTC)
                made = self._write(lambda tx: create_key(tx, operator(), name="acceptance", scopes=["admin"], now=now))
                self._keys["admin",] = made.value
            admin = Client(self.url, self._keys["admin",])
            if scopes != ("admin",):
                answer = admin.made("/api/keys", {"name": " ".join(scopes), "scopes": list(scopes)})
                self._keys[scopes] = answer["key"]
        return self._keys[scopes]

    def _write(self, unit: Callable[[Tx], T]) -> T:
        """Into the hub's store, beside it."""
        store = open_store(self.data_dir, database_url=self.database_url)
        try:
            return store.write_now(unit)
        finally:
            store.close()

    def client(self, *scopes: str) -> Client:
        """With a key of these scopes; none: without a key."""
        return Client(self.url, self.make_key(*scopes) if scopes else None)

    def agent(self, name: str, *options: str, hub_url: str | None = None) -> "Agent":
        """A running agent of that name, with a spool of its own."""
        agent = Agent(self.folder, name, *options, hub_url=hub_url or self.url, key=self.make_key("agent"))
        self.agents.append(agent)
        agent.process.launch()
        return agent

    def await_agent(self, name: str) -> None:
        """Until the hub has heard of it."""
        client = self.client("read")
        wait_until(lambda: any(item["name"] == name for item in client.items("/api/agents")), what=f"agent {name}")


class Agent:
    """`atalaia agent` on a spool directory that stays the same over restarts."""

    def __init__(self, folder: Path, name: str, *options: str, hub_url: str, key: str) -> None:
        self.name = name
        self.spool = folder / f"spool-{name}"
        command = [str(ATALAIA), "agent", "--hub", hub_url, "--spool", str(self.spool), "--name", name, *options]
        env = environment({"ATALAIA_KEY": key})
        self.process = Process(command, log=folder / f"agent-{name}.log", env=env)

    def start(self) -> None:
        self.process.launch()

    def kill(self) -> None:
        self.process.kill()

    def stop(self) -> int:
        return self.process.stop()
