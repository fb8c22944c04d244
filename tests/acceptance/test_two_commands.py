"""What `make run` and `make demo` start, and that nothing of it stays behind."""

import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.calls import Client
from tests.acceptance.hub import ATALAIA, ROOT, Process, environment, run_cli
from tests.acceptance.visitor import Visitor
from tests.servers import free_port, wait_until

RUN = ROOT / "scripts" / "run.py"
PASSWORD = "a tower above the harbour"
LISTENING = re.compile(r"Atalaia is listening on (http\S+)")


def run_process(folder: Path, port: int) -> Process:
    command = [sys.executable, str(RUN), "--port", str(port), "--data-dir", str(folder / "data")]
    return Process(command, log=folder / "run.log", env=environment())


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Process]:
    process = run_process(tmp_path, free_port())
    yield process
    interrupt(process)


def interrupt(process: Process) -> int:
    """Ctrl-C."""
    if process.process is None or not process.is_running:
        return -1
    process.process.send_signal(signal.SIGINT)
    try:
        return process.process.wait(120)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_run_starts_a_hub_and_an_agent_and_ends_both(run: Process, tmp_path: Path) -> None:
    run.launch()
    url = run.await_output(LISTENING)[1]
    run.await_output(re.compile(r"/first-start\?token=\S+"))
    run.await_output(re.compile(r"Ctrl-C stops both"))
    key = (tmp_path / "data" / "agent.key").read_text(encoding="ascii").strip()
    assert stat.S_IMODE((tmp_path / "data" / "agent.key").stat().st_mode) == 0o600
    assert key not in run.output

    done = run_cli(
        "key", "create", "reader", "--scope", "read", "--json", env={"ATALAIA_DATA_DIR": str(tmp_path / "data")}
    )
    reader = Client(url, re.findall(r'"key": ?"([^"]+)"', done.stdout)[0])
    wait_until(lambda: len(reader.items("/api/agents")) == 1, what="the agent")

    children = children_of(run.pid)
    assert len(children) == 2
    assert interrupt(run) == 0
    assert [child for child in children if is_alive(child)] == []

    run.launch()  # and again, with the same key and the same agent
    run.await_output(re.compile(r"Ctrl-C stops both"))
    assert (tmp_path / "data" / "agent.key").read_text(encoding="ascii").strip() == key
    wait_until(lambda: len(reader.items("/api/agents")) == 1, what="the agent")


def test_run_says_why_where_the_port_is_taken(run: Process, tmp_path: Path) -> None:
    run.launch()
    url = run.await_output(LISTENING)[1]
    other = run_process(tmp_path / "other", int(url.rpartition(":")[2]))
    other.log.parent.mkdir()
    other.launch()
    wait_until(lambda: not other.is_running, what="its end")
    assert f"process {children_of(run.pid)[0]}" in other.output


def test_the_demo_shows_something_on_every_page_and_leaves_nothing_behind(tmp_path: Path) -> None:
    port = free_port()
    command = [str(ATALAIA), "demo", "--port", str(port), "--password", PASSWORD]
    demo = Process(command, log=tmp_path / "demo.log", env={**environment(), "TMPDIR": str(tmp_path)})
    demo.launch()
    try:
        demo.await_output(re.compile(r"Ctrl-C ends everything"), timeout_s=90)
        night = demo.await_output(re.compile(r"curl -X POST (http\S+)/night"))[1]
        visitor = Visitor(f"http://127.0.0.1:{port}")
        visitor.sign_in("demo@example.org", PASSWORD)
        wait_until(lambda: visitor.page("/cvepro")[1].count("data-key=") == 21, what="the chargers", timeout_s=60)
        assert Client(night).post("/night", {}).status == 202
        # At 20 s, and again at 200 s, for who comes too late for that.
        demo.await_output(re.compile(r"message: incident\.opened .*Orders API"), timeout_s=240)
        assert "Orders API" in visitor.page("/")[1]
        for way in (r"WhatsApp to \S+: .*", r"e-mail to \S+: .*"):
            demo.await_output(re.compile(way + "Não é possível ler os carregadores"), timeout_s=60)
        looked_at = ("/", "/checks", "/incidents", "/agents", "/channels", "/explore", "/cvepro", "/cvepro/usage")
        pages = {path: visitor.page(path) for path in looked_at}
        assert {path: status for path, (status, _) in pages.items() if status != 200} == {}
        assert all(name in pages["/agents"][1] for name in ("São Paulo", "Virginia", "Frankfurt"))
        children = children_of(demo.pid)
        assert interrupt(demo) == 0
        assert [child for child in children if is_alive(child)] == []
        assert list(tmp_path.glob("atalaia-demo-*")) == []
    finally:
        interrupt(demo)
