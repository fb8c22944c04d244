"""A query to PostgreSQL. Times of connecting and of the query apart; lag and connections where the account may read them.

Target `host[:port][/database]` or `postgresql://…?sslmode=…`. Options: `user`, `database`, `query` (SELECT 1), `expect` (first
field of the first row), `family`. Secrets: `username`, `password`. Needs psycopg.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from atalaia_agent.deadline import Deadline, elapsed_ms
from atalaia_agent.dial import allowed, dial, resolve
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
    import psycopg

_SCHEMES = ("postgresql", "postgres")
_PORT = 5_432
_MAX_ROWS = 1_000
_KEPT_PARAMETERS = ("sslmode", "sslrootcert")

# On a replica the age of what it has replayed, unless it has replayed all that it was sent; on a primary its slowest replica.
_FACTS = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       current_setting('max_connections')::int,
       CASE WHEN NOT pg_is_in_recovery() THEN (SELECT extract(epoch FROM max(replay_lag)) FROM pg_stat_replication)
            WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END,
       pg_is_in_recovery()
"""


def measure(probe: Probe, context: Context, found: Outcome) -> None:
    try:
        import psycopg  # the driver, only where such a probe is set
    except ImportError as failure:
        raise missing_driver("psycopg[binary]", failure) from failure
    where = context.remember("where", lambda: read_where(probe, schemes=_SCHEMES, port=_PORT, user="postgres"))
    deadline = Deadline(probe.timeout_s)
    started = monotonic()
    try:
        _ask(where, context, found=found, deadline=deadline)
    except psycopg.Error as failure:
        raise _as_probe_error(failure, deadline) from failure
    finally:
        found.ms = elapsed_ms(started)
        add_samples(found, "postgresql")


def _ask(where: Where, context: Context, *, found: Outcome, deadline: Deadline) -> None:
    import psycopg

    arguments = _arguments(where, context, found=found, deadline=deadline)
    started = monotonic()
    connection = psycopg.connect(**arguments)
    try:
        found.phases["connect"] = elapsed_ms(started)
        rows = _timed_query(connection, where.query, found)
        found.data["is_available"] = True
        _add_facts(connection, found)
        check_answer(where, rows, found)
    finally:
        connection.close()


def _arguments(where: Where, context: Context, *, found: Outcome, deadline: Deadline) -> dict[str, Any]:
    """The driver gets the address that was checked, so that it can't look the name up to another one."""
    started = monotonic()
    addresses = allowed(resolve(where.host, where.port, deadline=deadline, family=where.family), context.reach)
    found.phases["dns"] = elapsed_ms(started)
    address = addresses[0].ip
    if len(addresses) > 1:
        # The driver would wait its whole limit for a family that leads nowhere.
        raced = dial(where.host, where.port, deadline=deadline, reach=context.reach, family=where.family)
        raced.sock.close()
        address = raced.address
    limit_s = min(CONNECT_TIMEOUT_S, deadline.left_s())
    return {
        **{name: value for name, value in where.parameters.items() if name in _KEPT_PARAMETERS},
        "host": where.host,
        "hostaddr": address,
        "port": where.port,
        "user": where.user,
        "password": where.password,
        "dbname": where.database or where.user,
        "connect_timeout": max(1, round(limit_s)),
        "application_name": "atalaia-agent",
        "options": f"-c statement_timeout={int(deadline.left_s() * 1_000)} -c default_transaction_read_only=on",
        "autocommit": True,
    }


def _timed_query(connection: psycopg.Connection[Any], query: str, found: Outcome) -> list[tuple[Any, ...]]:
    started = monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute(query.encode())
            return cursor.fetchmany(_MAX_ROWS) if cursor.description else []
    finally:
        found.phases["query"] = elapsed_ms(started)


def _add_facts(connection: psycopg.Connection[Any], found: Outcome) -> None:
    """What the account may not read is left out."""
    import psycopg

    try:
        row = connection.execute(_FACTS).fetchone()
    except psycopg.Error:
        return
    if row is None:
        return
    in_use, limit, lag_s, is_replica = row
    found.data |= {"connections_in_use": in_use, "connections_limit": limit, "is_replica": is_replica}
    if lag_s is not None:
        found.data["replication_lag_s"] = round(float(lag_s), 3)


def _as_probe_error(failure: psycopg.Error, deadline: Deadline) -> ProbeError:
    message = " ".join(str(failure).split())
    state = failure.sqlstate or ""
    if "timeout expired" in message or state == "57014":
        return ProbeError("timeout", str(deadline.passed()), outcome=TIMEOUT)
    # Before a session there is no code, only the server's words.
    is_stranger = "authentication failed" in message or ("role " in message and "does not exist" in message)
    if state.startswith("28") or is_stranger:
        return ProbeError("authentication_failed", message)
    if "Connection refused" in message:
        return ProbeError("connection_refused", message)
    return ProbeError("query_failed" if state else "connection_failed", message)
