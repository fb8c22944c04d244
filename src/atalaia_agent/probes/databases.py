"""What both database probes share: where it is, and what they report. Drivers are not loaded here."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from atalaia_agent import options
from atalaia_agent.failures import ERROR, BadOption, ProbeError
from atalaia_agent.outcome import Outcome
from atalaia_agent.urls import split_host_port
from atalaia_agent.wire import Probe

CONNECT_TIMEOUT_S = 5.0

_MAX_ANSWER_CHARS = 200


class Where(NamedTuple):
    host: str
    port: int
    user: str
    password: str
    database: str
    query: str
    expect: str | None
    family: str
    parameters: dict[str, str]


def read_where(probe: Probe, *, schemes: tuple[str, ...], port: int, user: str) -> Where:
    """Target: `host[:port][/database]` or a URL; user, password and database may stand apart. Raises BadOption."""
    target = probe.target.strip()
    scheme, separator, _ = target.partition("://")
    if separator and scheme not in schemes:
        raise BadOption("target", f"it must begin with {schemes[0]}://")
    parts = urlsplit(target if separator else "//" + target)
    userinfo, _, place = parts.netloc.rpartition("@")
    url_user, _, url_password = userinfo.partition(":")
    try:
        host, found_port = split_host_port(place, port)
    except ValueError as failure:
        raise BadOption("target", str(failure)) from failure
    given, secrets = probe.options, probe.secrets
    return Where(
        host=host,
        port=found_port,
        user=secrets.get("username") or options.text(given, "user") or unquote(url_user) or user,
        password=secrets.get("password") or unquote(url_password),
        database=options.text(given, "database") or unquote(parts.path.lstrip("/")),
        query=options.text(given, "query") or "SELECT 1",
        expect=_expected(given),
        family=options.text(given, "family", "any"),
        parameters=dict(parse_qsl(parts.query)),
    )


def _expected(given: dict[str, Any]) -> str | None:
    expect = given.get("expect")
    return None if expect in (None, "") else str(expect)


def missing_driver(package: str, failure: ImportError) -> ProbeError:
    return ProbeError(
        "driver_missing", f"this agent's Python has no {package}: pip install {package} ({failure})", outcome=ERROR
    )


def check_answer(where: Where, rows: list[tuple[Any, ...]], found: Outcome) -> None:
    """The first field of the first row is what the query says."""
    answer = None if not rows or not rows[0] else rows[0][0]
    found.data["answer"] = None if answer is None else str(answer)[:_MAX_ANSWER_CHARS]
    found.data["rows"] = len(rows)
    if where.expect is not None and found.data["answer"] != where.expect:
        raise ProbeError("assertion_failed", f"the query answered {found.data['answer']!r}, expected {where.expect!r}")


def add_samples(found: Outcome, db_type: str) -> None:
    """Names as users' dashboards have them; the hub makes the histogram of the query's time."""
    labels = {"db_type": db_type}
    found.samples.append(("database_available", labels, 1.0 if found.data.get("is_available") else 0.0))
    for fact in ("connections_in_use", "connections_limit", "replication_lag_s"):
        value = found.data.get(fact)
        if value is not None:
            name = "database_" + fact.replace("_lag_s", "_lag_seconds")
            found.samples.append((name, labels, float(value)))
