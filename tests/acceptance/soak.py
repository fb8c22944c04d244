"""`make soak`: the long crash runs, 50 kills each; writes what came out to docs/reliability.md.

python -m tests.acceptance.soak [--kills 50] [--seed N]
"""

import argparse
import datetime as dt
import platform
import random
import sys
import tempfile
import time
from pathlib import Path

from atalaia.version import COMMIT, VERSION
from tests.acceptance.crashes import Alerts, Crashes, run_alerts, run_crashes

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "reliability.md"
KILLS = 50
HEAD = """\
# Reliability

What was done to hub and agent, and what was left of their data. Written by `make soak`; a seeded sample of each run is
part of `make test` (`tests/acceptance/test_crashes.py`, `test_faults.py`).

Each run puts a hub under load: latency pings, samples by import (each sent again until it is acknowledged) and an agent
with its spool; then hub or agent are killed with SIGKILL at random moments and started again. Afterwards everything is
counted: what the hub acknowledged and what stood on the agent's disk must be there, and once. For alerts, heartbeats are
failed and the hub is killed right after it has answered: each alert must reach the webhook, under one dedup key for one
incident, however often it is sent.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    rows, is_well = [], True
    for name, run in RUNS.items():
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="atalaia-soak-") as folder:
            row, well = run(Path(folder), options.seed, options.kills)
        is_well = is_well and well
        rows.append(f"| {name} | {row} | {time.monotonic() - started:.0f} s |")
        sys.stdout.write(rows[-1] + "\n")
        sys.stdout.flush()
    PAGE.write_text(page(rows, seed=options.seed), encoding="utf-8")
    return 0 if is_well else 1


def hub_kills(folder: Path, seed: int, kills: int) -> tuple[str, bool]:
    return _of_crashes(run_crashes(folder, seed=seed, hub_kills=kills, agent_kills=0))


def agent_kills(folder: Path, seed: int, kills: int) -> tuple[str, bool]:
    return _of_crashes(run_crashes(folder, seed=seed, hub_kills=0, agent_kills=kills))


def both_kills(folder: Path, seed: int, kills: int) -> tuple[str, bool]:
    return _of_crashes(run_crashes(folder, seed=seed, hub_kills=kills // 2, agent_kills=kills // 2))


def alert_kills(folder: Path, seed: int, kills: int) -> tuple[str, bool]:
    found: Alerts = run_alerts(folder, seed=seed, hub_kills=kills)
    kept = f"{found.acknowledged} incidents, {found.repeated} alerts came more than once"
    well = not found.missing and not found.keys_apart
    return f"{found.hub_kills} | {kept} | {len(found.missing)} | {len(found.keys_apart)}", well


def _of_crashes(found: Crashes) -> tuple[str, bool]:
    kills = found.hub_kills + found.agent_kills
    kept = f"{found.acknowledged:,} acknowledged requests, {found.spooled:,} records seen on the agent's disk"
    return f"{kills} | {kept} | {len(found.missing)} | {len(found.twice)}", not found.missing and not found.twice


RUNS = {
    "kill −9 of the hub": hub_kills,
    "kill −9 of the agent": agent_kills,
    "kill −9 of both, mixed": both_kills,
    "kill −9 of the hub after an incident": alert_kills,
}


def page(rows: list[str], *, seed: int) -> str:
    when = dt.datetime.now(dt.UTC)
    where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    lines = [
        HEAD,
        f"Last run: {when:%Y-%m-%d %H:%M} UTC, version {VERSION} ({COMMIT or 'no commit'}), {where}, SQLite with",
        f"synchronous=FULL, seed {seed}. Again: `.venv/bin/python -m tests.acceptance.soak --seed {seed}`\n",
        "| run | kills | under load | missing | twice, or with two keys | time |",
        "| --- | --- | --- | --- | --- | --- |",
        *rows,
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
