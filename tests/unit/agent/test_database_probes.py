"""Against real servers: private ones, on free ports."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest

from atalaia_agent.outcome import Outcome
from atalaia_agent.probes import Context
from atalaia_agent.reach import Reach
from tests import servers
from tests.unit.agent.local_servers import silent
from tests.unit.agent.measured import measured


def sample(found: Outcome, name: str) -> float | None:
    return next((value for sampled, _, value in found.samples if sampled == name), None)


@pytest.fixture(scope="session")
def mariadb_port() -> Iterator[int]:
    """User `probe` with password `s3cret` on a server of its own."""
    install, server = servers.find_binary("mariadb-install-db"), servers.find_binary("mariadbd")
    if install is None or server is None:
        pytest.skip("MariaDB is not installed (Debian: mariadb-server)")
    with contextlib.ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="atalaia-my-", ignore_cleanup_errors=True))
        )
        servers.give_to_unprivileged(folder)
        data, port, start = folder / "data", servers.free_port(), folder / "init.sql"
        start.write_text(
            "CREATE USER probe@'%' IDENTIFIED BY 's3cret';\nGRANT BINLOG MONITOR, SLAVE MONITOR ON *.* TO probe@'%';"
        )
        start.chmod(0o644)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/", **servers.unprivileged()}
        common = ["--no-defaults", f"--datadir={data}"]
        subprocess.run(
            [install, *common, "--skip-test-db", "--auth-root-authentication-method=normal"], check=True, **quiet
        )  # type: ignore[call-overload]
        flags = [
            f"--port={port}",
            "--bind-address=127.0.0.1",
            f"--socket={folder}/s",
            f"--pid-file={folder}/p",
            f"--init-file={start}",
        ]
        stack.enter_context(servers.running([server, *common, *flags], **quiet))
        servers.wait_until(lambda: _takes(port), what="MariaDB")
        yield port


def _takes(port: int) -> bool:
    try:
        pymysql.connect(host="127.0.0.1", port=port, user="probe", password="s3cret").close()
    except pymysql.MySQLError:
        return False
    return True


def test_postgresql_tells_connect_and_query_time_apart(postgresql_url: str) -> None:
    found = measured("postgresql", postgresql_url, expect="1")
    assert found.message is None
    assert found.is_ok
    assert set(found.phases) == {"dns", "connect", "query"}
    assert sample(found, "database_available") == 1.0
    assert found.data["connections_in_use"] >= 1
    assert found.data["connections_limit"] == 200
    assert found.data["is_replica"] is False


def test_postgresql_runs_the_given_query_and_reads_only(postgresql_url: str) -> None:
    assert measured("postgresql", postgresql_url, query="SELECT 'up' WHERE 1 % 2 = 1", expect="up").is_ok
    assert measured("postgresql", postgresql_url, query="SELECT 2", expect="3").error == "assertion_failed"
    writing = measured("postgresql", postgresql_url, query="CREATE TABLE stolen (a int)")
    assert writing.error == "query_failed"
    assert "read-only" in (writing.message or "")
    assert sample(writing, "database_available") == 0.0
    slow = measured("postgresql", postgresql_url, query="SELECT pg_sleep(9)", timeout_s=0.5)
    assert (slow.outcome, slow.error) == ("timeout", "timeout")


def test_postgresql_leaves_out_what_the_account_may_not_read(postgresql_url: str) -> None:
    with psycopg.connect(postgresql_url, autocommit=True) as admin:
        admin.execute("CREATE ROLE narrow LOGIN")
        try:
            admin.execute("REVOKE EXECUTE ON FUNCTION pg_is_in_recovery() FROM PUBLIC")
            parts = urlsplit(postgresql_url)
            found = measured("postgresql", f"{parts.hostname}:{parts.port}/postgres", user="narrow")
        finally:
            admin.execute("GRANT EXECUTE ON FUNCTION pg_is_in_recovery() TO PUBLIC")
            admin.execute("DROP ROLE narrow")
    assert found.is_ok
    assert "connections_in_use" not in found.data


def test_postgresql_that_is_not_there_or_not_for_us_fails(postgresql_url: str) -> None:
    parts = urlsplit(postgresql_url)
    stranger = measured(
        "postgresql", f"{parts.hostname}:{parts.port}", secrets={"username": "nobody", "password": "x" * 8}
    )
    assert stranger.error == "authentication_failed"
    refused = measured("postgresql", f"127.0.0.1:{servers.free_port()}")
    assert (refused.outcome, refused.error) == ("fail", "connection_refused")
    assert sample(refused, "database_available") == 0.0
    with silent() as port:
        assert measured("postgresql", f"127.0.0.1:{port}", timeout_s=1).outcome == "timeout"
    assert measured("postgresql", "http://x").error == "bad_option"
    closed = Context(reach=Reach(deny=["127.0.0.0/8"]))
    assert measured("postgresql", postgresql_url, context=closed).error == "address_denied"


def test_mysql_tells_connect_and_query_time_apart(mariadb_port: int) -> None:
    secrets = {"username": "probe", "password": "s3cret"}
    found = measured("mysql", f"127.0.0.1:{mariadb_port}", secrets=secrets, expect="1")
    assert found.message is None
    assert found.is_ok
    assert set(found.phases) == {"dns", "connect", "query"}
    assert sample(found, "database_available") == 1.0
    assert sample(found, "database_connections_in_use") == found.data["connections_in_use"] >= 1
    assert found.data["connections_limit"] > 1


def test_mysql_that_is_not_there_or_not_for_us_fails(mariadb_port: int) -> None:
    secrets = {"username": "probe", "password": "wrong-password"}
    target = f"127.0.0.1:{mariadb_port}"
    stranger = measured("mysql", target, secrets=secrets)
    assert stranger.error == "authentication_failed"
    assert "wrong-password" not in (stranger.message or "")
    right = {"username": "probe", "password": "s3cret"}
    assert measured("mysql", target, secrets=right, query="SELECT nonsense").error == "query_failed"
    assert measured("mysql", target, secrets=right, query="SELECT SLEEP(9)", timeout_s=0.5).outcome == "timeout"
    assert measured("mysql", f"127.0.0.1:{servers.free_port()}").error == "connection_refused"
    with silent() as port:
        assert measured("mysql", f"127.0.0.1:{port}", timeout_s=0.5).outcome == "timeout"
    closed = Context(reach=Reach(deny=["127.0.0.0/8"]))
    assert measured("mysql", target, secrets=right, context=closed).error == "address_denied"


@pytest.mark.parametrize(("kind", "package"), [("postgresql", "psycopg"), ("mysql", "pymysql")])
def test_without_the_driver_it_says_what_to_install(kind: str, package: str) -> None:
    probe = f'{{"kind": "{kind}", "target": "127.0.0.1:1"}}'
    # -S leaves out site-packages, as on a machine with nothing but Python.
    done = subprocess.run(
        [sys.executable, "-S", "-m", "atalaia_agent", "probe", probe],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert '"error": "driver_missing"' in done.stdout
    assert f"pip install {package}" in done.stdout
