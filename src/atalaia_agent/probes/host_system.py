"""Facts that the kernel tells. Source: proc(5)."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event

from atalaia_agent.failures import BadOption
from atalaia_agent.outcome import Outcome
from atalaia_agent.probes import Context

PROC = Path("/proc")

_FIRST_LOOK_S = 0.2
_IDLE = (3, 4)  # idle and iowait
_COUNTED = 8  # guest times are already in user's
_KIB = 1_024


def look_at_cpu(context: Context, found: Outcome) -> None:
    """Busy share since the last look."""
    if "cpu" not in context.memory:
        context.memory["cpu"] = _cpu_times()
        Event().wait(_FIRST_LOOK_S)
    former, now = context.memory["cpu"], _cpu_times()
    if now[1] > former[1]:
        context.memory["cpu"] = now
        # The kernel's idle time of one core may step back a little between two looks.
        idle_share = (now[0] - former[0]) / (now[1] - former[1])
        context.memory["cpu_percent"] = min(100.0, max(0.0, round(100 * (1 - idle_share), 2)))
    if "cpu_percent" in context.memory:
        found.data["cpu_percent"] = context.memory["cpu_percent"]
        found.samples.append(("host_cpu_percent", {}, found.data["cpu_percent"]))


def _cpu_times() -> tuple[int, int]:
    """Idle and whole, in ticks."""
    times = [int(word) for word in (PROC / "stat").read_bytes().split(b"\n", 1)[0].split()[1 : _COUNTED + 1]]
    return sum(times[index] for index in _IDLE), sum(times)


def look_at_memory(found: Outcome) -> None:
    facts = {name: int(words[0]) * _KIB for name, words in _table("meminfo").items()}
    total, available = facts["MemTotal"], facts.get("MemAvailable", facts["MemFree"])
    swap, swap_free = facts.get("SwapTotal", 0), facts.get("SwapFree", 0)
    found.data["memory_percent"] = round(100 * (1 - available / total), 2)
    found.data["swap_percent"] = round(100 * (1 - swap_free / swap), 2) if swap else 0.0
    found.samples += [
        ("host_memory_total_bytes", {}, total),
        ("host_memory_available_bytes", {}, available),
        ("host_memory_percent", {}, found.data["memory_percent"]),
        ("host_swap_percent", {}, found.data["swap_percent"]),
    ]


def _table(name: str) -> dict[str, list[str]]:
    lines = (PROC / name).read_text().splitlines()
    return {key: rest.split() for key, _, rest in (line.partition(":") for line in lines)}


def look_at_disks(wanted: list[str], found: Outcome) -> None:
    worst = 0.0
    for mount in wanted or _mounts():
        try:
            seen = os.statvfs(mount)
        except OSError as failure:
            if wanted:
                raise BadOption("disks", f"{mount}: {failure.strerror}") from failure
            continue
        if not seen.f_blocks:
            continue
        # As df: what is reserved for root is neither used nor free.
        used = seen.f_blocks - seen.f_bfree
        percent = round(100 * used / max(1, used + seen.f_bavail), 2)
        labels = {"mount": mount}
        found.samples += [
            ("host_disk_percent", labels, percent),
            ("host_disk_free_bytes", labels, seen.f_bavail * seen.f_frsize),
            ("host_disk_total_bytes", labels, seen.f_blocks * seen.f_frsize),
        ]
        if percent >= worst:
            worst = percent
            found.data |= {"disk_percent": percent, "disk_mount": mount}


def _mounts() -> list[str]:
    """One mount point for each device, and always the root."""
    by_device = {"": "/"}
    for line in (PROC / "self/mounts").read_text().splitlines():
        device, mount = line.split()[:2]
        if device.startswith("/dev/") and not device.startswith("/dev/loop") and mount != "/":
            by_device.setdefault(device, mount.replace("\\040", " "))
    return [mount for mount in by_device.values() if Path(mount).is_dir()]


def look_at_load(found: Outcome) -> None:
    one, five, fifteen = os.getloadavg()
    cores = os.cpu_count() or 1
    uptime_s = float((PROC / "uptime").read_text().split()[0])
    found.data |= {"load1": round(one, 2), "load_per_core": round(one / cores, 3), "uptime_s": int(uptime_s)}
    found.samples += [
        ("host_load1", {}, one),
        ("host_load5", {}, five),
        ("host_load15", {}, fifteen),
        ("host_cpu_cores", {}, cores),
        ("host_uptime_seconds", {}, uptime_s),
    ]


def look_at_oom_kills(context: Context, found: Outcome) -> None:
    """`oom_kills` are those since the last look; kernels before 4.13 do not count."""
    for line in (PROC / "vmstat").read_text().splitlines():
        if line.startswith("oom_kill "):
            total = int(line.split()[1])
            found.data["oom_kills"] = max(0, total - context.memory.get("oom_kills", total))
            context.memory["oom_kills"] = total
            found.samples.append(("host_oom_kills_total", {}, total))
