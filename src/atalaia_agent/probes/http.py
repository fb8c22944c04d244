"""HTTP and HTTPS with the phases of a request and assertions on the answer.

Options: `method`, `headers`, `body` (text, or an object sent as JSON), `expect_status` ("200-399", 204, or a list of both),
`follow_redirects`, `max_redirects`, `body_contains`, `body_not_contains` (text or list), `expect_headers` ({name: text that
its value contains, or null for any}), `json_path` (`$.a.b[0]` with `json_value`, or {path: value}), `verify_tls`, `ca` (path or
PEM), `warn_days`, `max_body_bytes`, `family`. Secrets: `username` and `password`, or `token` (Bearer), and `header:<name>`.
"""

from __future__ import annotations

import socket
import time
from base64 import b64encode
from time import monotonic
from urllib.parse import urljoin

from atalaia_agent import __version__, http1
from atalaia_agent.deadline import Deadline, elapsed_ms
from atalaia_agent.dial import dial
from atalaia_agent.failures import BadOption, ProbeError
from atalaia_agent.kept import start_tls
from atalaia_agent.outcome import Outcome
from atalaia_agent.probes import Context
from atalaia_agent.probes.http_assertions import check_answer
from atalaia_agent.probes.http_plan import HttpPlan, read_plan
from atalaia_agent.urls import parse_http_url
from atalaia_agent.wire import Probe

_REDIRECTS = (301, 302, 303, 307, 308)


def measure(probe: Probe, context: Context, found: Outcome) -> None:
    plan = context.remember("plan", lambda: read_plan(probe))
    fetch(plan, context, timeout_s=probe.timeout_s, found=found)
    if plan.warn_days:
        _warn_of_expiry(plan, found)


def fetch(plan: HttpPlan, context: Context, *, timeout_s: float, found: Outcome) -> http1.Response:
    """The answer, once it is the expected one. Raises ProbeError, OSError, TimeoutError."""
    deadline = Deadline(timeout_s, context.turn)
    started = monotonic()
    try:
        response = _follow(plan, context, found=found, deadline=deadline)
    finally:
        found.ms = elapsed_ms(started)
    found.data["status"] = response.status
    found.data["bytes"] = len(response.body)
    if response.is_truncated:
        found.data["is_truncated"] = True
    check_answer(plan, response)
    return response


def _follow(plan: HttpPlan, context: Context, *, found: Outcome, deadline: Deadline) -> http1.Response:
    address, method, body = plan.address, plan.method, plan.body
    request = context.remember("request", lambda: _encode(plan, plan.address, method=plan.method, body=plan.body))
    for hops in range(plan.max_redirects + 1):
        response = _ask(plan, address, method=method, request=request, context=context, found=found, deadline=deadline)
        if response.status not in _REDIRECTS or not plan.follow_redirects:
            return response
        location = response.header("location")
        if not location:
            return response
        found.data["redirects"] = hops + 1
        address = _next_address(address, location)
        # RFC 9110, 15.4: only 307 and 308 keep the method and the body.
        if response.status not in (307, 308) and method != "HEAD":
            method, body = "GET", b""
        request = _encode(plan, address, method=method, body=body)
    raise ProbeError("too_many_redirects", f"more than {plan.max_redirects} redirects, the last to {address.origin}")


def _next_address(address: http1.Address, location: str) -> http1.Address:
    try:
        return parse_http_url(urljoin(address.origin + address.path, location))
    except ValueError as failure:
        raise ProbeError("bad_redirect", f"redirected to {location[:200]!r}: {failure}") from failure


def _encode(plan: HttpPlan, address: http1.Address, *, method: str, body: bytes) -> bytes:
    headers = [("Host", address.authority), ("Connection", "close"), *plan.headers]
    given = {name.lower() for name, _ in plan.headers}
    if "user-agent" not in given:
        headers.append(("User-Agent", f"atalaia-agent/{__version__}"))
    if "accept" not in given:
        headers.append(("Accept", "*/*"))
    # What is secret stays with the host that it was meant for.
    if address.origin == plan.address.origin:
        headers += plan.secret_headers
    elif address.userinfo:
        headers.append(("Authorization", "Basic " + b64encode(address.userinfo.encode()).decode()))
    return http1.encode_request(method, address.path, headers=headers, body=body)


def _ask(
    plan: HttpPlan,
    address: http1.Address,
    *,
    method: str,
    request: bytes,
    context: Context,
    found: Outcome,
    deadline: Deadline,
) -> http1.Response:
    dialed = dial(address.host, address.port, deadline=deadline, reach=context.reach, family=plan.family)
    found.data["address"] = dialed.address
    _add(found, "dns", dialed.started_at, dialed.resolved_at)
    _add(found, "connect", dialed.resolved_at, dialed.connected_at)
    sock = dialed.sock
    try:
        if address.scheme == "https":
            sock = _secure(plan, sock, address.host, found=found, deadline=deadline)
        sent_at = monotonic()
        http1.send(sock, request, deadline)
        response = http1.read_response(sock, method=method, deadline=deadline, max_body_bytes=plan.max_body_bytes)
    finally:
        sock.close()
    _add(found, "first_byte", sent_at, response.first_byte_at)
    _add(found, "transfer", response.first_byte_at, response.ended_at)
    return response


def _secure(plan: HttpPlan, sock: socket.socket, host: str, *, found: Outcome, deadline: Deadline) -> socket.socket:
    started = monotonic()
    try:
        secured = start_tls(sock, host, deadline=deadline, ca=plan.ca, is_verified=plan.verify_tls)
    except FileNotFoundError as failure:
        raise BadOption("ca", f"there is no file {plan.ca!r}") from failure
    finally:
        _add(found, "tls", started, monotonic())
    from atalaia_agent import certificates  # loaded by start_tls

    seen = certificates.look_at(secured, time.time())
    if seen is not None:
        found.data["tls_days_left"] = seen.days_left
        found.data["tls_issuer"] = seen.certificate.issuer
    return secured


def _add(found: Outcome, phase: str, since: float, until: float) -> None:
    found.phases[phase] = round(found.phases.get(phase, 0.0) + (until - since) * 1_000, 3)


def _warn_of_expiry(plan: HttpPlan, found: Outcome) -> None:
    days_left = found.data.get("tls_days_left")
    if days_left is not None and days_left < plan.warn_days:
        found.degrade("tls_expiring", f"the certificate expires in {days_left:g} days")
