"""What the agent costs the machine that it watches."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers import wait_until
from tests.unit.agent.local_servers import http, http_answering, https_answering, make_pki
from tests.unit.agent.processes import SOURCE, agent_running, status_of
from tests.unit.agent.stub_hub import StubHub

pytestmark = pytest.mark.acceptance

MAX_RESIDENT_KB = 22 * 1_024
MAX_RESIDENT_WITH_TLS_KB = 30 * 1_024


def test_twenty_probes_and_a_ping_stay_below_22_mb(tmp_path: Path) -> None:
    with http_answering(http()) as plain, StubHub() as hub:
        probes = [
            {"id": f"p{n}", "kind": "http", "target": f"{plain.url}/{n}", "interval_s": 2, "timeout_s": 5}
            for n in range(20)
        ]
        assert _resident_kb(hub, probes, tmp_path) <= MAX_RESIDENT_KB


def test_with_tls_and_every_other_kind_it_stays_below_30_mb(tmp_path: Path) -> None:
    """OpenSSL alone is 7 MB of it."""
    pki = make_pki(tmp_path)
    with http_answering(http()) as plain, https_answering(pki, http()) as secure, StubHub() as hub:
        common = {"interval_s": 2, "timeout_s": 5}
        probes = [{"id": f"p{n}", "kind": "http", "target": f"{plain.url}/{n}", **common} for n in range(14)]
        secured = f"https://127.0.0.1:{secure}/"
        probes += [{"id": f"s{n}", "kind": "http", "target": secured, **common} for n in range(2)]
        probes += [{"id": "t1", "kind": "tcp", "target": f"127.0.0.1:{plain.port}", **common}]
        probes += [{"id": "t2", "kind": "tls", "target": f"127.0.0.1:{secure}", **common}]
        probes += [
            {"id": "h", "kind": "host", **common},
            {"id": "d", "kind": "dns", "target": "a", **common, "options": {"resolver": "127.0.0.1:9"}},
        ]
        assert _resident_kb(hub, probes, tmp_path) <= MAX_RESIDENT_WITH_TLS_KB
    assert "tls_untrusted" in {result["error"] for result in hub.results("s0")}


def _resident_kb(hub: StubHub, probes: list[dict[str, Any]], folder: Path) -> int:
    """What the agent holds after several rounds of all probes, with a ping each second."""
    hub.set_plan(*probes)
    with agent_running(hub.url, folder / "spool", "--ping", "--ping-interval-s", "1") as process:
        wait_until(lambda: len({r["probe"] for r in hub.results()}) == len(probes), what="each probe", timeout_s=60)
        wait_until(lambda: len(hub.results()) >= 4 * len(probes), what="several rounds", timeout_s=60)
        return int(status_of(process.pid)["VmRSS"].split()[0])


REAL_WORK = """
import sys
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
from atalaia_agent.main import main
for probe in sys.argv[3:]:
    main(["probe", probe])
main(["--hub", sys.argv[2], "--spool", sys.argv[1] + "/none", "--key-file", "/no/such/file"])
main(["--help"])
import atalaia_agent.agent
foreign = {name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names) - {"atalaia_agent"}
heavy = {"asyncio", "http", "email", "urllib.request", "logging", "argparse", "dataclasses", "inspect", "subprocess", "unicodedata"}
print("FOREIGN", sorted(foreign), "HEAVY", sorted(heavy & set(sys.modules)))
"""


def test_at_work_it_loads_nothing_but_the_standard_library_and_of_that_nothing_heavy() -> None:
    with http_answering(http(body=b'{"a": 1}')) as server:
        probes = [
            f'{{"kind": "http", "target": "http://localhost:{server.port}/", "options": {{"json_path": "$.a", "json_value": 1}}}}',
            f'{{"kind": "tcp", "target": "127.0.0.1:{server.port}"}}',
            f'{{"kind": "tls", "target": "127.0.0.1:{server.port}"}}',
            '{"kind": "dns", "target": "a", "options": {"resolver": "127.0.0.1:9"}}',
            '{"kind": "icmp", "target": "127.0.0.1", "options": {"count": 1}}',
            '{"kind": "host"}',
            f'{{"kind": "ping", "target": "{server.url}"}}',
            f'{{"kind": "prometheus", "target": "{server.url}"}}',
        ]
        done = subprocess.run(
            [sys.executable, "-I", "-c", REAL_WORK, str(SOURCE), server.url, *probes],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env={"PATH": os.environ["PATH"]},
        )
    assert done.stdout.splitlines()[-1] == "FOREIGN [] HEAVY []"
