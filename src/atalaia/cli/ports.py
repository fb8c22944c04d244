"""Who has a port: read from /proc, so only on Linux and only for processes that we may look at."""

import os
from pathlib import Path

_LISTENING = "0A"  # the state in /proc/net/tcp: include/net/tcp_states.h


def port_holder(port: int) -> str | None:
    """`process 123 (nginx)`, or None where it can't be known."""
    inodes = {inode for table in ("tcp", "tcp6") for inode in _listening_inodes(Path("/proc/net") / table, port)}
    if not inodes:
        return None
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and _has_socket(process, inodes):
            name = (process / "comm").read_text(encoding="utf-8").strip()
            return f"process {process.name} ({name})"
    return None


def _listening_inodes(table: Path, port: int) -> list[str]:
    try:
        lines = table.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return []
    rows = [line.split() for line in lines]
    return [row[9] for row in rows if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port]


def _has_socket(process: Path, inodes: set[str]) -> bool:
    try:
        entries = list((process / "fd").iterdir())
    except OSError:
        return False
    return any(_socket_inode(entry) in inodes for entry in entries)


def _socket_inode(entry: Path) -> str | None:
    try:
        link = os.readlink(entry)  # noqa: PTH115 - a socket's link is no path
    except OSError:  # closed since it was listed
        return None
    return link[8:-1] if link.startswith("socket:[") else None
