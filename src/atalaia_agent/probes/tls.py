"""The certificate that a server shows: trusted, for its name, and for how long.

Target `host:port` (443). Options: `warn_days` (14), `server_name` (the host of the target), `ca` (path or PEM), `family`.
What a certificate says is reported even when it could not be verified.
"""

from __future__ import annotations

import ssl
import time
from time import monotonic
from typing import NamedTuple

from atalaia_agent import certificates, options
from atalaia_agent.deadline import Deadline, elapsed_ms
from atalaia_agent.dial import dial
from atalaia_agent.failures import BadOption, ProbeError
from atalaia_agent.kept import start_tls
from atalaia_agent.outcome import Outcome
from atalaia_agent.probes import Context
from atalaia_agent.urls import split_host_port
from atalaia_agent.wire import Probe

_WARN_DAYS = 14.0
_PORT = 443
_DAY_S = 86_400


class _Plan(NamedTuple):
    host: str
    port: int
    name: str
    ca: str | None
    warn_days: float
    family: str


def measure(probe: Probe, context: Context, found: Outcome) -> None:
    plan = context.remember("plan", lambda: _read(probe))
    deadline = Deadline(probe.timeout_s)
    started = monotonic()
    try:
        _connect(plan, context, found=found, deadline=deadline)
    except ssl.SSLCertVerificationError:
        _look_unverified(plan, context, found=found, deadline=deadline)
        raise
    finally:
        found.ms = elapsed_ms(started)
    days_left = found.data.get("tls_days_left")
    if days_left is not None and days_left < plan.warn_days:
        found.degrade("tls_expiring", f"the certificate expires in {days_left:g} days")


def _read(probe: Probe) -> _Plan:
    target = probe.target.partition("://")[2].partition("/")[0] if "://" in probe.target else probe.target
    try:
        host, port = split_host_port(target, _PORT)
    except ValueError as failure:
        raise BadOption("target", str(failure)) from failure
    given = probe.options
    return _Plan(
        host=host,
        port=port,
        name=options.text(given, "server_name") or host,
        ca=options.text(given, "ca") or None,
        warn_days=options.number(given, "warn_days", _WARN_DAYS),
        family=options.text(given, "family", "any"),
    )


def _connect(plan: _Plan, context: Context, *, found: Outcome, deadline: Deadline, is_verified: bool = True) -> None:
    dialed = dial(plan.host, plan.port, deadline=deadline, reach=context.reach, family=plan.family)
    secured_from = monotonic()
    if is_verified:
        found.phases = {"dns": dialed.dns_ms, "connect": dialed.connect_ms}
        found.data["address"] = dialed.address
    try:
        sock = start_tls(dialed.sock, plan.name, deadline=deadline, ca=plan.ca, is_verified=is_verified)
    except FileNotFoundError as failure:
        raise BadOption("ca", f"there is no file {plan.ca!r}") from failure
    finally:
        if is_verified:
            found.phases["tls"] = elapsed_ms(secured_from)
    with sock:
        _describe(sock, found)


def _look_unverified(plan: _Plan, context: Context, *, found: Outcome, deadline: Deadline) -> None:
    """Once more without asking who it is, to tell what is wrong with it."""
    try:
        _connect(plan, context, found=found, deadline=deadline, is_verified=False)
    except (OSError, ProbeError):
        return


def _describe(sock: ssl.SSLSocket, found: Outcome) -> None:
    try:
        seen = certificates.look_at(sock, time.time())
    except ValueError:
        return
    if seen is None:
        return
    certificate = seen.certificate
    found.data |= {
        "tls_days_left": seen.days_left,
        "not_after": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(certificate.not_after_s)),
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "names": list(certificate.names[:20]),
        "tls_version": sock.version(),
    }
