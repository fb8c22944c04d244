"""Load by wrk, pinned to the other core than the server's."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.servers import find_binary

from benchmarks.figures import LOAD_CORE

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True)
class Load:
    per_s: float
    p99_ms: float
    failed: int


def has_wrk() -> bool:
    return find_binary("wrk") is not None


def wrk(url: str, *, script: str = "", connections: int = 64, seconds: int = 5) -> Load:
    """Drive `url` with kept connections; `script` is Lua as wrk takes it."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = [
            "taskset",
            "-c",
            str(LOAD_CORE),
            find_binary("wrk") or "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--latency",
        ]
        command += ["-s", file.name] if script else []
        out = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    return Load(_number(r"Requests/sec:\s+([\d.]+)", out), _p99_ms(out), _failed(out))


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    return float(found[1]) if found else 0.0


def _p99_ms(text: str) -> float:
    found = re.search(r"99%\s+([\d.]+)(us|ms|s|m)", text)
    return float(found[1]) * _UNITS[found[2]] if found else 0.0


def _failed(text: str) -> int:
    sockets = re.search(r"connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    return int(_number(r"Non-2xx or 3xx responses: (\d+)", text)) + sum(
        int(n) for n in (sockets.groups() if sockets else ())
    )


def echo_server_source() -> str:
    """A bare ASGI application: what the same server does when nobody works."""
    return (
        "async def app(scope, receive, send):\n"
        "    if scope['type'] != 'http':\n"
        "        return\n"
        "    body = (await receive()).get('body', b'')\n"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': [(b'content-length', b'2')]})\n"
        "    await send({'type': 'http.response.body', 'body': b'OK'})\n"
    )


def write_echo(folder: Path) -> Path:
    path = folder / "echo_app.py"
    path.write_text(echo_server_source())
    return path
