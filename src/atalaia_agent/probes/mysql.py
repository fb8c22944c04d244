"""A query to MySQL or MariaDB: times of connecting and of the query apart, lag and connections where it may read them.

Target `host[:port][/database]` or `mysql://…`. Options: `user`, `database`, `query` (SELECT 1), `expect`, `tls` (false; true
verifies), `ca`, `family`. Secrets: `username`, `password`. Needs pymysql.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from atalaia_agent import options
from atalaia_agent.deadline import Deadline, elapsed_ms
from atalaia_agent.dial import dial
from atalaia_agent.failures import TIMEOUT, ProbeError
from atalaia_agent.outcome import Outcome
from atalaia_agent.probes import Context
from atalaia_agent.probes.databases import (
    CONNECT_TIMEOUT_S,
    Where,
    add_samples,
    check_answer,
    missing_driver,
    read_where,
)
from atalaia_agent.wire import Probe

if TYPE_CHECKING:
    import pymysql

_SCHEMES = ("mysql", "mariadb")
_PORT = 3_306
_MAX_ROWS = 1_000
_ACCESS_DENIED = (1044, 1045, 1698)
_LAG_FIELDS = ("Seconds_Behind_Source", "Seconds_Behind_Master")
_CONNECTION_CODES = range(2_000, 2_100)


def measure(probe: Probe, context: Context, found: Outcome) -> None:
    try:
        import pymysql  # the driver, only where such a probe is set
    except ImportError as failure:
        raise missing_driver("pymysql", failure) from failure
    where = context.remember("where", lambda: read_where(probe, schemes=_SCHEMES, port=_PORT, user="root"))
    deadline = Deadline(probe.timeout_s)
    started = monotonic()
    try:
        _ask(where, probe, context=context, found=found, deadline=deadline)
    except pymysql.MySQLError as failure:
        raise _as_probe_error(failure, deadline) from failure
    finally:
        found.ms = elapsed_ms(started)
        add_samples(found, "mysql")


def _ask(where: Where, probe: Probe, *, context: Context, found: Outcome, deadline: Deadline) -> None:
    limit = Deadline(min(CONNECT_TIMEOUT_S, deadline.left_s()))
    dialed = dial(where.host, where.port, deadline=limit, reach=context.reach, family=where.family)
    found.phases["dns"] = dialed.dns_ms
    found.data["address"] = dialed.address
    started = monotonic()
    try:
        connection = _connect(where, probe, deadline=deadline)
        dialed.sock.settimeout(limit.left_s())
        connection.connect(dialed.sock)
    except BaseException:
        dialed.sock.close()
        raise
    try:
        found.phases["connect"] = round(dialed.connect_ms + elapsed_ms(started), 3)
        rows = _timed_query(connection, where.query, found)
        found.data["is_available"] = True
        _add_facts(connection, found)
        check_answer(where, rows, found)
    finally:
        connection.close()


def _connect(where: Where, probe: Probe, *, deadline: Deadline) -> pymysql.Connection[Any]:
    import pymysql

    given = probe.options
    is_secured = options.flag(given, "tls", default=False)
    # pymysql takes whole seconds at least 1 for connecting, any number for the rest.
    left_s = deadline.left_s()
    return pymysql.connect(
        host=where.host,
        port=where.port,
        user=where.user,
        password=where.password,
        database=where.database or None,
        connect_timeout=max(1, round(min(CONNECT_TIMEOUT_S, left_s))),
        read_timeout=left_s,
        write_timeout=left_s,
        program_name="atalaia-agent",
        autocommit=True,
        defer_connect=True,
        ssl_verify_cert=is_secured or None,
        ssl_verify_identity=is_secured or None,
        ssl_ca=options.text(given, "ca") or None,
        ssl_disabled=not is_secured,
    )


def _timed_query(connection: pymysql.Connection[Any], query: str, found: Outcome) -> list[tuple[Any, ...]]:
    started = monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchmany(_MAX_ROWS))
    finally:
        found.phases["query"] = elapsed_ms(started)


def _add_facts(connection: pymysql.Connection[Any], found: Outcome) -> None:
    """What the account may not read is left out."""
    in_use = _first_row(connection, "SHOW GLOBAL STATUS LIKE 'Threads_connected'")
    limit = _first_row(connection, "SHOW GLOBAL VARIABLES LIKE 'max_connections'")
    replica = _first_row(connection, "SHOW REPLICA STATUS") or _first_row(connection, "SHOW SLAVE STATUS")
    if in_use:
        found.data["connections_in_use"] = int(in_use["Value"])
    if limit:
        found.data["connections_limit"] = int(limit["Value"])
    if replica:
        found.data["is_replica"] = True
        lag_s = next((replica[field] for field in _LAG_FIELDS if replica.get(field) is not None), None)
        if lag_s is not None:
            found.data["replication_lag_s"] = float(lag_s)


def _first_row(connection: pymysql.Connection[Any], statement: str) -> dict[str, Any] | None:
    import pymysql

    try:
        with connection.cursor(pymysql.cursors.DictCursor) as cursor:
            cursor.execute(statement)
            row = cursor.fetchone()
    except pymysql.MySQLError:
        return None
    return row if isinstance(row, dict) else None


def _as_probe_error(failure: pymysql.MySQLError, deadline: Deadline) -> ProbeError:
    code = failure.args[0] if failure.args and isinstance(failure.args[0], int) else 0
    message = str(failure.args[-1]) if failure.args else str(failure)
    if "timed out" in message:
        return ProbeError("timeout", str(deadline.passed()), outcome=TIMEOUT)
    if code in _ACCESS_DENIED:
        return ProbeError("authentication_failed", message)
    if code in _CONNECTION_CODES:
        return ProbeError("connection_failed", message)
    return ProbeError("query_failed", message)
