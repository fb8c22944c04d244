"""What a service manager says of its services: systemd and pm2."""

from __future__ import annotations

import json
import os
import subprocess

from atalaia_agent.deadline import Deadline
from atalaia_agent.failures import ERROR, BadOption, ProbeError
from atalaia_agent.outcome import Outcome

_RUNNING = ("active", "reloading", "activating")
_MAX_MEMORY_BYTES = 2**62  # systemd says 2^64-1 where it does not count


_LIST_FAILED = ["systemctl", "list-units", "--state=failed", "--plain", "--no-legend", "--no-pager"]


def look_at_units(units: list[str] | None, *, found: Outcome, deadline: Deadline) -> list[str]:
    """`units` None: those that have failed, whichever they are."""
    if units is None:
        units = [line.split()[0] for line in _run(_LIST_FAILED, deadline).splitlines() if line.strip()]
        found.data["units_failed"] = len(units)
        found.samples.append(("host_units_failed", {}, float(len(units))))
    if not units:
        return []
    for unit in units:
        if unit.startswith("-") or "/" in unit:
            raise BadOption("units", f"{unit!r} is not a unit")
    properties = "Id,LoadState,ActiveState,SubState,MemoryCurrent"
    command = ["systemctl", "show", "--no-pager", f"--property={properties}", "--", *units]
    blocks = _run(command, deadline).strip().split("\n\n")
    if len(blocks) != len(units):
        raise ProbeError("bad_response", "systemctl answered in another form", outcome=ERROR)
    return [trouble for unit, block in zip(units, blocks, strict=True) if (trouble := _unit(unit, block, found))]


def _unit(unit: str, block: str, found: Outcome) -> str:
    facts = dict(line.partition("=")[::2] for line in block.splitlines())
    state = facts.get("ActiveState", "unknown")
    is_active = state in _RUNNING
    labels = {"unit": unit}
    found.samples.append(("host_unit_active", labels, 1.0 if is_active else 0.0))
    memory = facts.get("MemoryCurrent", "")
    if memory.isdigit() and int(memory) < _MAX_MEMORY_BYTES:
        found.samples.append(("host_unit_memory_bytes", labels, float(memory)))
    found.data.setdefault("units", {})[unit] = state
    if is_active:
        return ""
    return f"unit {unit} is {'not there' if facts.get('LoadState') == 'not-found' else state}"


def look_at_pm2(names: list[str] | None, *, found: Outcome, deadline: Deadline) -> list[str]:
    """`names` None: all; a named one that is not there is a trouble."""
    # Never a path from the plan: the hub may ask what runs here, not run what it likes.
    output = _run(["pm2", "jlist"], deadline)
    try:
        # pm2 tells its news before the list.
        processes = json.loads(output[output.index("[{") if "[{" in output else output.index("[") :])
    except ValueError:
        raise ProbeError("bad_response", "pm2 jlist did not answer with a list", outcome=ERROR) from None
    wanted = [process for process in processes if names is None or str(process.get("name")) in names]
    there = {str(process.get("name")) for process in wanted}
    missing = [f"pm2 process {name} is not there" for name in names or [] if name not in there]
    return missing + [trouble for process in wanted if (trouble := _process(process, found))]


def _process(process: dict[str, object], found: Outcome) -> str:
    name = str(process.get("name"))
    environment, usage = process.get("pm2_env"), process.get("monit")
    facts = environment if isinstance(environment, dict) else {}
    state = str(facts.get("status"))
    labels = {"process": name, "id": str(process.get("pm_id"))}
    found.samples.append(("host_pm2_online", labels, 1.0 if state == "online" else 0.0))
    found.samples.append(("host_pm2_restarts_total", labels, float(facts.get("restart_time") or 0)))
    if isinstance(usage, dict):
        found.samples.append(("host_pm2_memory_bytes", labels, float(usage.get("memory") or 0)))
    found.data.setdefault("pm2", {})[name] = state
    return "" if state == "online" else f"pm2 process {name} is {state}"


def _run(command: list[str], deadline: Deadline) -> str:
    environment = {**os.environ, "LC_ALL": "C", "NO_COLOR": "1"}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            check=False,
            timeout=deadline.left_s(),
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError as failure:
        raise ProbeError("not_installed", f"there is no {command[0]} on this machine", outcome=ERROR) from failure
    except subprocess.TimeoutExpired as failure:
        raise deadline.passed(f"{command[0]} did not answer") from failure
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()[:200]
        raise ProbeError("command_failed", f"{command[0]} ended with {done.returncode}: {said}", outcome=ERROR)
    return done.stdout.decode("utf-8", "replace")
