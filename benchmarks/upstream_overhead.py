"""What the upstream client adds to one call, beside its bare HTTP library: limits, breaker, budget, token, records."""

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence

from tests.servers import free_port, is_listening, running, wait_until

from benchmarks.figures import LOAD_CORE, SERVER_CORE, Figure

CALLS = 1000
ROUNDS = 11
TARGET_US = 150.0

_SERVER = """
import asyncio, sys
ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nContent-Type: text/plain\\r\\n\\r\\nOK"
class Echo(asyncio.Protocol):
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data): self.transport.write(ANSWER)
async def main():
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
"""
# Both ways in one process, round by round: what the machine does besides meets both alike.
_CLIENT = """
import asyncio, json, sys, time
import aiohttp
from atalaia.core.clock import SystemClock
from atalaia.core.redaction import Secret
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient
from atalaia.outbound.memory import MemoryBreaker, MemoryCalls, MemoryTokens
from atalaia.outbound.upstream import Ports, UpstreamClient
from atalaia.sdk.upstreams import UpstreamDeclaration

url, count, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

async def main():
    clock, http = SystemClock(), HttpClient(Guard())
    ports = Ports(MemoryTokens(None, clock=clock, given="a-session-token-0123"), MemoryBreaker(clock=clock), MemoryCalls())
    declaration = UpstreamDeclaration(name="bench", title="Bench")
    client = UpstreamClient(declaration, http=http, ports=ports, clock=clock, trust=lambda: Trust.CONFIGURED)
    bearer = lambda token: {"Authorization": "Bearer " + token.value.reveal()}
    session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())

    async def bare():
        async with session.get(url, headers={"Authorization": "Bearer a-session-token-0123"}) as answer:
            await answer.read()

    async def ours():
        await client.call("read", "GET", url, is_repeatable=True, authorize=bearer)

    async def cost_us(call):
        started = time.process_time()
        for _ in range(count):
            await call()
        return (time.process_time() - started) * 1e6 / count

    for call in (bare, ours):
        await cost_us(call)
    print(json.dumps([[await cost_us(bare), await cost_us(ours)] for _ in range(rounds)]))
    await session.close()
    await http.aclose()

asyncio.run(main())
"""


def run() -> Sequence[Figure]:
    port = free_port()
    with running(["taskset", "-c", str(SERVER_CORE), sys.executable, "-c", _SERVER, str(port)]):
        wait_until(lambda: is_listening(port), what="the server")
        rounds = _measure(f"http://127.0.0.1:{port}/")
    bare_us = statistics.median(bare for bare, _ in rounds)
    added_us = statistics.median(ours - bare for bare, ours in rounds)
    return [
        Figure(
            "what the upstream client adds to a call",
            added_us,
            "µs",
            bare_us,
            added_us / bare_us,
            f"≤ {TARGET_US:g} µs",
            added_us <= TARGET_US,
            f"CPU, with token, breaker, budget and record; beside: a call of bare aiohttp; medians of {ROUNDS} rounds of {CALLS}",
        )
    ]


def _measure(url: str) -> list[tuple[float, float]]:
    command = ["taskset", "-c", str(LOAD_CORE), sys.executable, "-c", _CLIENT, url, str(CALLS), str(ROUNDS)]
    done = subprocess.run(command, check=True, capture_output=True)
    rounds: list[tuple[float, float]] = json.loads(done.stdout)
    return rounds
