"""The agent as a process of its own."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.servers import running
from tests.unit.agent.stub_hub import KEY

SOURCE = Path(__file__).resolve().parents[3] / "src"

Process = subprocess.Popen[bytes]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ATALAIA_")}
    return {**kept, "PYTHONPATH": str(SOURCE), "ATALAIA_KEY": KEY, **more}


@contextlib.contextmanager
def agent_running(hub_url: str, spool: Path, *flags: str, log: Path | None = None, **more: str) -> Iterator[Process]:
    command = [sys.executable, "-m", "atalaia_agent", "--hub", hub_url, "--spool", str(spool), *flags]
    with contextlib.ExitStack() as stack:
        out = stack.enter_context((log or spool.with_suffix(".log")).open("ab"))
        yield stack.enter_context(running(command, env=environment(**more), stderr=out, stdout=out))


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
