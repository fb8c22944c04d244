"""`make soak`: the long crash runs, 50 kills each, 1,000 of fleet commands and of closes; writes what came out to docs/reliability.md.

python -m tests.acceptance.soak [--kills 50] [--fleet-kills 1000] [--closes 1000] [--seed N] [--only NAME]
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
from tests.acceptance.binance_crashes import run_closes
from tests.acceptance.charging_history import run_history
from tests.acceptance.crashes import Alerts, Crashes, run_alerts, run_crashes
from tests.acceptance.fleet_crashes import run_fleet_crashes

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "reliability.md"
KILLS = 50
FLEET_KILLS = 1000
CLOSES = 1000
CLOSE = "closes of operations: killed at every await"
SESSIONS, SESSION_DAYS, IMPORT_KILLS = 100_000, 365, 5
PAST = "charging: a past imported and counted twice"
FLEET = "fleet commands: kill −9 of hub, workers and third party"
HEAD = """\
# Reliability

What was done to hub and agent, and what was left of their data. Written by `make soak`; a seeded sample of each run is
part of `make test` (`tests/acceptance/test_crashes.py`, `test_faults.py`).

Each run puts a hub under load: latency pings, samples by import (each sent again until it is acknowledged) and an agent
with its spool; then hub or agent are killed with SIGKILL at random moments and started again. Afterwards everything is
counted: what the hub acknowledged and what stood on the agent's disk must be there, and once. For alerts, heartbeats are
failed and the hub is killed right after it has answered: each alert must reach the webhook, under one dedup key for one
incident, however often it is sent. For fleet commands each kill has a job on a vehicle of its own; afterwards every job must
have ended and agree with the simulated third party's own book: completed means executed exactly once, an error not at all,
and only an outcome that is marked unknown may be either. For closes of operations the engine is stopped for ever at one
step of its tasks after the other, over the exchange's faults, and the next process goes on; then each leg must be closed
once, with one row of history, and money equal to the last decimal, by the exchange's own book, also after the dead ones
have woken up. For charging a year of sessions is imported from a simulated cloud that says some of them twice, late, too small
or corrected, while the hub is killed; then what it says by month, flat and charger and in its statements must be what is counted
from what really was, to the last Wh and cent ("missing" counts the sums that differ).
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--fleet-kills", type=int, default=FLEET_KILLS)
    parser.add_argument("--closes", type=int, default=CLOSES)
    parser.add_argument("--only", choices=sorted(RUNS), help="this run alone; its line replaces the former one")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    counts = {FLEET: options.fleet_kills, CLOSE: options.closes, PAST: IMPORT_KILLS}
    rows, is_well = [], True
    for name, run in RUNS.items():
        if options.only not in {None, name}:
            rows += [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {name} |")]
            continue
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="atalaia-soak-") as folder:
            row, well = run(Path(folder), options.seed, counts.get(name, options.kills))
        is_well = is_well and well
        rows.append(
            f"| {name} | {row} | {time.monotonic() - started:.0f} s, {_now():%Y-%m-%d %H:%M}, seed {options.seed} |"
        )
        sys.stdout.write(rows[-1] + "\n")
        sys.stdout.flush()
    PAGE.write_text(page(rows), encoding="utf-8")
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


def fleet_kills(folder: Path, seed: int, kills: int) -> tuple[str, bool]:
    found = run_fleet_crashes(folder, seed=seed, kills=kills)
    ends = ", ".join(f"{count:,} {name}" for name, count in found.outcomes.most_common())
    lost, wrong = [*found.not_ended, *found.wrongly_ended], found.executed_twice
    return f"{kills:,} | {kills:,} jobs: {ends} | {len(lost)} | {len(wrong)}", found.is_well


def closes(folder: Path, seed: int, kills: int) -> tuple[str, bool]:
    found = run_closes(folder, seed=seed, kills=kills)
    for each in found.wrong:
        sys.stderr.write(f"{each}\n")
    twice = [each for each in found.wrong if "closed" in each]
    kept = f"{found.cases:,} closes over {len(found.by_fault)} kinds of faults"
    return f"{found.kills:,} | {kept} | {len(found.wrong) - len(twice)} | {len(twice)}", found.is_well


def past(folder: Path, seed: int, kills: int) -> tuple[str, bool]:
    found = run_history(folder, seed=seed, sessions=SESSIONS, days=SESSION_DAYS, kills=kills)
    for each in found.wrong:
        sys.stderr.write(f"{each}\n")
    first_s, second_s = found.imports_s
    kept = (
        f"{found.sessions:,} sessions imported in {first_s:.0f} s and again in {second_s:.0f} s, {found.corrected:,} corrected,"
        f" {found.marked:,} of them marked"
    )
    return f"{found.kills} | {kept} | {len(found.wrong)} | 0", not found.wrong and found.sessions == SESSIONS


def _of_crashes(found: Crashes) -> tuple[str, bool]:
    kills = found.hub_kills + found.agent_kills
    kept = f"{found.acknowledged:,} acknowledged requests, {found.spooled:,} records seen on the agent's disk"
    return f"{kills} | {kept} | {len(found.missing)} | {len(found.twice)}", not found.missing and not found.twice


RUNS = {
    "kill −9 of the hub": hub_kills,
    "kill −9 of the agent": agent_kills,
    "kill −9 of both, mixed": both_kills,
    "kill −9 of the hub after an incident": alert_kills,
    FLEET: fleet_kills,
    CLOSE: closes,
    PAST: past,
}


def page(rows: list[str]) -> str:
    where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    lines = [
        HEAD,
        f"Last run: {_now():%Y-%m-%d %H:%M} UTC, version {VERSION} ({COMMIT or 'no commit'}), {where}, SQLite with",
        "synchronous=FULL. Again: `.venv/bin/python -m tests.acceptance.soak --seed N`, with the seed of the line.\n",
        "| run | kills | under load | missing | twice, or with two keys | time |",
        "| --- | --- | --- | --- | --- | --- |",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


if __name__ == "__main__":
    sys.exit(main())
