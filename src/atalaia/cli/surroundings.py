"""What the doctor looks at around the data: settings, the port, address families, the clock, the limits of the process."""

import ctypes
import resource
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from atalaia.cli.ports import port_holder
from atalaia.core.errors import ConfigError
from atalaia.core.settings import Settings
from atalaia.store.diagnosis import Finding, error, ok, warning

FEW_FILES = 4096
# adjtimex(2): the kernel's own word on whether something keeps its clock right.
_CLOCK_UNSYNCHRONISED = 5


def examine_settings(load: Callable[[], Settings]) -> Iterator[Finding]:
    try:
        settings = load()
    except ConfigError as problem:
        yield error("settings", str(problem), problem.hint or "Correct it in atalaia.toml or in the environment.")
        return
    fixed = [key for key in settings.declared if settings.lookup(key).is_fixed]
    yield ok(
        "settings",
        f"{len(fixed)} set outside ({', '.join(fixed)})" if fixed else "all by default or by the settings page",
    )


def examine_port(host: str, port: int, *, hub_pid: int | None) -> Iterator[Finding]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as problem:
            holder = port_holder(port)
            if hub_pid is not None and holder is not None and holder.startswith(f"process {hub_pid} "):
                yield ok("port", f"{port} is held by the hub of this directory ({holder})")
            else:
                who = holder or problem.strerror or "another process"
                yield error(
                    "port", f"{host}:{port} can't be used: {who}", "Stop that process, or choose another --port."
                )
            return
    yield ok("port", f"{host}:{port} is free")


def examine_families() -> Iterator[Finding]:
    for name, family, address in (("IPv4", socket.AF_INET, "127.0.0.1"), ("IPv6", socket.AF_INET6, "::1")):
        routed = _has_route(family)
        if not _can_bind(family, address):
            yield warning(
                name, "not there on this machine", f"Names that have {name} addresses alone can't be reached."
            )
        elif routed:
            yield ok(name, "there, with a way out")
        else:
            yield warning(
                name, "there, but without a way out", f"Ask for {name} where targets have such addresses alone."
            )


def _can_bind(family: int, address: str) -> bool:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def _has_route(family: int) -> bool:
    # Documentation addresses (RFC 5737, RFC 3849): connecting a datagram socket asks for a route and sends nothing.
    address = "192.0.2.1" if family == socket.AF_INET else "2001:db8::1"
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
    except OSError:
        return False
    return True


def examine_clock() -> Iterator[Finding]:
    state = _clock_state()
    if state == _CLOCK_UNSYNCHRONISED:
        yield warning("clock", "nothing says that it is kept right", "Install chrony or systemd-timesyncd.")
    else:
        yield ok("clock", "kept right by a time service" if state is not None else "can't be asked on this system")


def _clock_state() -> int | None:
    buffer = ctypes.create_string_buffer(512)  # struct timex is 208 bytes; zeroed, it asks and changes nothing
    try:
        return int(ctypes.CDLL(None, use_errno=True).adjtimex(buffer))
    except (OSError, AttributeError):
        return None


def examine_limits() -> Iterator[Finding]:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < FEW_FILES:
        yield warning("open files", f"at most {soft}", "ulimit -n 65536, or LimitNOFILE=65536 in the unit.")
    else:
        yield ok("open files", f"at most {soft}")
    if Path("/etc/resolv.conf").exists() and not Path("/etc/resolv.conf").read_text(encoding="utf-8").strip():
        yield warning("names", "/etc/resolv.conf is empty", "Names can't be resolved; add a nameserver.")
