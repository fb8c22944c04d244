"""Containers, from Docker's socket (Podman's speaks the same). Source: Docker Engine API 1.41."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from atalaia_agent import http1
from atalaia_agent.deadline import Deadline
from atalaia_agent.failures import ERROR, ProbeError
from atalaia_agent.outcome import Outcome

# Never a path from the plan: other sockets of this machine are not the hub's business.
SOCKETS = ("/var/run/docker.sock", "/run/podman/podman.sock")
_MAX_ANSWER_BYTES = 5_000_000
_MOST = 50


def look_at_containers(names: list[str] | None, *, found: Outcome, deadline: Deadline) -> list[str]:
    """A container that does not run is a trouble; among all (`names` None), one that ended well is none."""
    path = next((path for path in SOCKETS if Path(path).exists()), SOCKETS[0])
    containers = _get(path, "/containers/json?all=1", deadline)
    if not isinstance(containers, list):
        raise ProbeError("bad_response", "the list of containers has another form", outcome=ERROR)
    missing: list[str] = []
    if names is not None:
        containers = [item for item in containers if _name(item) in names]
        there = {_name(item): item.get("State") for item in containers}
        missing = [
            f"container {name} is {there.get(name, 'not there')}" for name in names if there.get(name) != "running"
        ]
    if len(containers) > _MOST:
        found.data["containers_left_out"] = len(containers) - _MOST
    looked_at = [_container(path, item, found=found, deadline=deadline) for item in containers[:_MOST]]
    troubles = [trouble for trouble in looked_at if trouble]
    # A named one that is not running is told once, in the words that say most.
    return troubles + [text for text in missing if not any(trouble.startswith(text) for trouble in troubles)]


def _name(item: dict[str, Any]) -> str:
    return str((item.get("Names") or [item.get("Id", "?")[:12]])[0]).lstrip("/")


def _container(path: str, item: dict[str, Any], *, found: Outcome, deadline: Deadline) -> str:
    name = _name(item)
    state, words = str(item.get("State")), str(item.get("Status"))
    labels = {"container": name, "image": str(item.get("Image"))}
    is_running = state == "running"
    found.samples.append(("host_container_running", labels, 1.0 if is_running else 0.0))
    found.data.setdefault("containers", {})[name] = state
    if is_running:
        used = _memory(path, str(item.get("Id")), deadline)
        if used is not None:
            found.samples.append(("host_container_memory_bytes", labels, used))
    if "unhealthy" in words:
        return f"container {name} is unhealthy"
    has_ended_well = state in ("exited", "created", "paused") and not _has_failed(words)
    return "" if is_running or has_ended_well else f"container {name} is {state} ({words})"


def _has_failed(words: str) -> bool:
    """`Exited (137) 2 hours ago`."""
    return words.startswith("Exited (") and not words.startswith("Exited (0)")


def _memory(path: str, container_id: str, deadline: Deadline) -> float | None:
    stats = _get(path, f"/containers/{container_id}/stats?stream=false&one-shot=true", deadline)
    memory = stats.get("memory_stats", {}) if isinstance(stats, dict) else {}
    usage = memory.get("usage")
    if usage is None:
        return None
    # As `docker stats`: cache that can be given back is not in use.
    facts = memory.get("stats") or {}
    return float(usage - facts.get("inactive_file", facts.get("total_inactive_file", 0)))


def _get(path: str, resource: str, deadline: Deadline) -> Any:
    request = http1.encode_request("GET", resource, headers=[("Host", "docker"), ("Connection", "close")])
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(deadline.left_s())
            sock.connect(path)
            sock.setblocking(False)
            http1.send(sock, request, deadline)
            response = http1.read_response(sock, method="GET", deadline=deadline, max_body_bytes=_MAX_ANSWER_BYTES)
    except PermissionError as failure:
        hint = "add the agent's user to the group that owns it"
        raise ProbeError("not_permitted", f"{path} may not be read: {hint}", outcome=ERROR) from failure
    except FileNotFoundError as failure:
        raise ProbeError("not_installed", f"there is no {path} on this machine", outcome=ERROR) from failure
    try:
        return json.loads(response.body)
    except ValueError:
        raise ProbeError("bad_response", f"{path} did not answer with JSON", outcome=ERROR) from None
