"""The machine itself: CPU, memory, swap, disks, load, processes killed for want of memory, and what runs on it.

Options: `disks` (mount points; default all on devices), `units` (of systemd; true: those that it calls failed), `pm2` and
`containers` (true, or names; the latter from Docker's or Podman's socket), `logs` ([{path, pattern, name?, max?}]: lines that
match since the last look), `limits` ({fact: most}, of cpu_percent, memory_percent, swap_percent, disk_percent, load_per_core,
oom_kills). All is kept as samples; a limit that is passed, or a unit, process or container that does not run, is a failed
result.
"""

from __future__ import annotations

from collections.abc import Callable

from atalaia_agent import options
from atalaia_agent.deadline import Deadline
from atalaia_agent.failures import BadOption, ProbeError
from atalaia_agent.outcome import Outcome
from atalaia_agent.probes import Context
from atalaia_agent.probes import host_system as system
from atalaia_agent.wire import Probe

LIMITED = ("cpu_percent", "memory_percent", "swap_percent", "disk_percent", "load_per_core", "oom_kills")

Troubles = list[str]


def measure(probe: Probe, context: Context, found: Outcome) -> None:
    limits = _limits(probe)
    deadline = Deadline(probe.timeout_s)
    system.look_at_cpu(context, found)
    system.look_at_memory(found)
    system.look_at_disks(options.texts(probe.options, "disks"), found)
    system.look_at_load(found)
    system.look_at_oom_kills(context, found)
    troubles: Troubles = []
    for look in _looks(probe, context, deadline):
        troubles += look(found)
    troubles += [
        f"{name} is {found.data[name]:g}, at most {most:g}" for name, most in limits if _is_over(found, name, most)
    ]
    if troubles:
        raise ProbeError("limit_exceeded", "; ".join(troubles))


def _limits(probe: Probe) -> list[tuple[str, float]]:
    given = options.mapping(probe.options, "limits")
    for name in given:
        if name not in LIMITED:
            raise BadOption("limits", f"{name!r} is none of {', '.join(LIMITED)}")
    return [(name, options.number(given, name, 0.0)) for name in given]


def _is_over(found: Outcome, name: str, most: float) -> bool:
    value = found.data.get(name)
    return value is not None and value > most


def _looks(probe: Probe, context: Context, deadline: Deadline) -> list[Callable[[Outcome], Troubles]]:
    """What is not asked for is not even loaded."""
    given = probe.options
    looks: list[Callable[[Outcome], Troubles]] = []
    if given.get("units"):
        from atalaia_agent.probes.host_services import look_at_units

        looks.append(lambda found: look_at_units(_names(given, "units"), found=found, deadline=deadline))
    if given.get("pm2"):
        from atalaia_agent.probes.host_services import look_at_pm2

        looks.append(lambda found: look_at_pm2(_names(given, "pm2"), found=found, deadline=deadline))
    if given.get("containers"):
        from atalaia_agent.probes.host_containers import look_at_containers

        looks.append(lambda found: look_at_containers(_names(given, "containers"), found=found, deadline=deadline))
    if given.get("logs"):
        from atalaia_agent.probes.host_logs import look_at_logs

        looks.append(lambda found: look_at_logs(given["logs"], context, found))
    return looks


def _names(given: dict[str, object], option: str) -> list[str] | None:
    """None for all."""
    return None if given.get(option) is True else options.texts(given, option)
