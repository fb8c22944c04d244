"""The options of an HTTP probe, read once."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from typing import Any, NamedTuple

from atalaia_agent import http1, options
from atalaia_agent.failures import BadOption
from atalaia_agent.urls import parse_http_url
from atalaia_agent.wire import Probe

MAX_BODY_BYTES = 1_000_000
UP_STATUSES = ((200, 399),)

_METHOD = re.compile(r"[A-Z]{1,20}")
_STATUS = re.compile(r"\s*([1-5]\d\d)\s*(?:-\s*([1-5]\d\d)\s*)?")


class HttpPlan(NamedTuple):
    address: http1.Address
    method: str
    headers: http1.Headers
    secret_headers: http1.Headers
    body: bytes
    statuses: tuple[tuple[int, int], ...]
    follow_redirects: bool
    max_redirects: int
    contains: list[str]
    contains_not: list[str]
    expect_headers: dict[str, str | None]
    expect_json: list[tuple[str, Any]]
    verify_tls: bool
    ca: str | None
    warn_days: float
    max_body_bytes: int
    family: str


def read_plan(probe: Probe) -> HttpPlan:
    given = probe.options
    address = _address(probe.target)
    body, headers = _body(given)
    return HttpPlan(
        address=address,
        method=_method(given),
        headers=headers,
        secret_headers=_secret_headers(probe, address),
        body=body,
        statuses=_statuses(given),
        follow_redirects=options.flag(given, "follow_redirects", default=True),
        max_redirects=options.whole(given, "max_redirects", 10, most=20),
        contains=options.texts(given, "body_contains"),
        contains_not=options.texts(given, "body_not_contains"),
        expect_headers=_expected_headers(given),
        expect_json=_expected_json(given),
        verify_tls=options.flag(given, "verify_tls", default=True),
        ca=options.text(given, "ca") or None,
        warn_days=options.number(given, "warn_days", 0),
        max_body_bytes=options.whole(given, "max_body_bytes", MAX_BODY_BYTES, most=50_000_000),
        family=options.text(given, "family", "any"),
    )


def _address(target: str) -> http1.Address:
    try:
        return parse_http_url(target)
    except ValueError as failure:
        raise BadOption("target", str(failure)) from failure


def _method(given: dict[str, Any]) -> str:
    method = options.text(given, "method", "GET").upper()
    if not _METHOD.fullmatch(method):
        raise BadOption("method", f"{method!r} is not a method")
    return method


def _body(given: dict[str, Any]) -> tuple[bytes, http1.Headers]:
    headers = [(name, str(value)) for name, value in options.mapping(given, "headers").items()]
    body = given.get("body")
    if body is None or isinstance(body, str):
        return (body or "").encode(), headers
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    return json.dumps(body, ensure_ascii=False).encode(), headers


def _secret_headers(probe: Probe, address: http1.Address) -> http1.Headers:
    secrets = probe.secrets
    headers = [(name.removeprefix("header:"), value) for name, value in secrets.items() if name.startswith("header:")]
    if "token" in secrets:
        headers.append(("Authorization", "Bearer " + secrets["token"]))
        return headers
    userinfo = address.userinfo
    if "username" in secrets or "password" in secrets:
        userinfo = f"{secrets.get('username', '')}:{secrets.get('password', '')}"
    if userinfo:
        headers.append(("Authorization", "Basic " + b64encode(userinfo.encode()).decode()))
    return headers


def _statuses(given: dict[str, Any]) -> tuple[tuple[int, int], ...]:
    raw = given.get("expect_status")
    if raw in (None, "", []):
        return UP_STATUSES
    parts = raw if isinstance(raw, list) else str(raw).split(",")
    return tuple(_status_range(part) for part in parts)


def _status_range(part: object) -> tuple[int, int]:
    if isinstance(part, list) and len(part) == 2:  # noqa: PLR2004 - from and to
        part = f"{part[0]}-{part[1]}"
    match = _STATUS.fullmatch(str(part))
    if match is None:
        raise BadOption("expect_status", f"{part!r} is neither a status nor a range such as 200-399")
    return int(match[1]), int(match[2] or match[1])


def _expected_headers(given: dict[str, Any]) -> dict[str, str | None]:
    expected = options.mapping(given, "expect_headers")
    return {name.lower(): None if value in (None, "") else str(value) for name, value in expected.items()}


def _expected_json(given: dict[str, Any]) -> list[tuple[str, Any]]:
    """`{"json_path": "$.a", "json_value": 1}`, or `{"json_path": {"$.a": 1, "$.b[0]": "x"}}`."""
    path = given.get("json_path")
    if path is None or path == "":
        return []
    if isinstance(path, str):
        return [(path, given.get("json_value"))]
    return list(options.mapping(given, "json_path").items())
