"""A worker brings no database and no pages with it, whatever integrations are built in."""

import json
import subprocess
import sys

FOREIGN = {"sqlalchemy", "alembic", "litestar", "uvicorn", "minijinja", "numpy", "apprise"}
SLICES = {
    "app",
    "home",
    "watch",
    "jobs",
    "upstreams",
    "captures",
    "access",
    "store",
    "web",
    "notify",
    "metrics",
    "agents",
}
ASK = """
import json, re, sys
from pathlib import Path
import atalaia.cli.worker
from atalaia.worker.known import find_known
find_known()
resident_kb = int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
print(json.dumps([sorted(sys.modules), resident_kb / 1024]))
"""


def test_a_worker_loads_neither_store_nor_pages_and_stays_small() -> None:
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    modules, resident_mb = json.loads(done.stdout)
    assert FOREIGN & {name.partition(".")[0] for name in modules} == set()
    assert {f"atalaia.{name}" for name in SLICES} & set(modules) == set()
    assert resident_mb < 70
