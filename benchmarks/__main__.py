"""Run all benchmarks, or those named: `python -m benchmarks [NAME …]`. Exit 0 whatever is met."""

import json
import platform
import sys
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from benchmarks.figures import Figure, skipped, table

FOLDER = Path(__file__).resolve().parent
PAGE = FOLDER.parent / "docs" / "benchmarks.md"
# In the order of the table; each module has `run() -> Sequence[Figure]`.
NAMES = (
    "pings",
    "samples_in",
    "chunk_size",
    "range_query",
    "overview_page",
    "agent_cost",
    "probe_cost",
    "signaller",
    "signals_answered",
    "price_to_orders",
    "fault_to_message",
    "message_path",
    "many_checks",
    "jobs_throughput",
    "jobs_latency",
    "jobs_growth",
    "upstream_overhead",
    "charging_viewers",
    "charging_report",
    "charging_outage",
    "charging_points",
)
BUDGET_S = 25 * 60


def main(wanted: Sequence[str]) -> int:
    started = time.monotonic()
    figures: list[Figure] = []
    for name in wanted or NAMES:
        if time.monotonic() - started > BUDGET_S:
            figures.append(skipped(name, "", "no time left of the 25 minutes"))
            continue
        print(f"… {name}", file=sys.stderr, flush=True)
        figures.extend(_run(name))
    print(table(figures))
    (FOLDER / "results.json").write_text(json.dumps([figure.as_json() for figure in figures], indent=1) + "\n")
    if not wanted:
        _write_page(figures, time.monotonic() - started)
    return 0


def _run(name: str) -> Sequence[Figure]:
    try:
        found: Sequence[Figure] = import_module(f"benchmarks.{name}").run()
    except Exception as error:  # noqa: BLE001 - one benchmark that breaks must not hide the others
        traceback.print_exc()
        return [skipped(name, "", f"broke: {type(error).__name__}: {error}")]
    return found


def _write_page(figures: Sequence[Figure], took_s: float) -> None:
    when = datetime.now(UTC).date().isoformat()
    PAGE.write_text(
        f"""# Benchmarks

`make bench` measures these and writes this page. Last run: {when}, {platform.machine()}, 2 cores,
Python {platform.python_version()}, {took_s / 60:.0f} min.
The server is pinned to one core, the load to the other; values are medians of five runs unless the note says otherwise.
*Beside* is what the same run measured for comparison (the floor), *ratio* the value divided by it.
Machines differ and are noisy: the ratios carry further than the values.
Rows *beside: …* are other job queues, measured in the same run: no-op work from a queue filled before, 16 jobs at a time, the worker
on the hub's core, its database or broker and the load on the other, settings as the note says. One that could not be measured says why.
What stands in the way of the speeds of jobs and samples that are not met is in [what a job costs](decisions/0017-what-a-job-costs.md).

{table(figures)}
"""
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
