"""The commands keep their promises, beside a hub that runs and without one."""

import json
import signal
import stat
from pathlib import Path

from tests.acceptance.conftest import MakeHub
from tests.acceptance.hub import Hub, run_cli
from tests.servers import free_port, wait_until
from tests.stopwatch import Stopwatch

FIRST_START = 200
STOP_S = 15  # as deploy/systemd/atalaia.service gives it


def test_a_hub_says_where_it_is_and_how_to_begin(shared_hub: Hub) -> None:
    assert f"Atalaia is listening on {shared_hub.url}\n" in shared_hub.process.output
    wait_until(lambda: shared_hub.first_start is not None, what="the line behind the one that says it is ready")
    assert shared_hub.first_start is not None
    assert shared_hub.client().get(shared_hub.first_start.removeprefix(shared_hub.url)).status == FIRST_START


def test_the_first_start_address_is_gone_once_somebody_has_an_account(hub: Hub) -> None:
    hub.make_admin()
    hub.restart()
    assert hub.first_start is None


def test_a_key_made_beside_a_running_hub_works_at_once_and_only_for_its_scopes(shared_hub: Hub) -> None:
    done = shared_hub.cli("key", "create", "reader", "--scope", "read", "--json")
    made = json.loads(done.stdout)
    assert set(made) >= {"id", "key"}
    assert shared_hub.client().get("/api/checks").status == 401
    reader = shared_hub.client("read")
    assert reader.get("/api/checks").status == 200
    assert reader.post("/api/checks", {"name": "x", "kind": "heartbeat", "period_s": 60, "grace_s": 60}).status == 403


def test_a_hub_ends_in_time_and_gives_its_directory_back(hub: Hub) -> None:
    watch = Stopwatch()
    assert hub.stop() in {0, -signal.SIGTERM}  # the server tells its parent which signal ended it
    assert watch.took_s <= STOP_S + watch.late_s
    hub.start()


def test_a_second_hub_on_a_directory_is_refused_with_the_process_that_has_it(shared_hub: Hub) -> None:
    done = run_cli("serve", "--data-dir", str(shared_hub.data_dir), "--port", str(free_port()))
    assert done.returncode == 1
    assert f"process {shared_hub.process.pid}" in done.stderr


def test_a_second_hub_on_a_port_is_refused_with_the_process_that_has_it(shared_hub: Hub, tmp_path: Path) -> None:
    done = run_cli("serve", "--data-dir", str(tmp_path / "other"), "--port", str(shared_hub.port))
    assert done.returncode == 1
    assert f"process {shared_hub.process.pid}" in done.stderr


def test_a_newer_database_is_refused(make_hub: MakeHub) -> None:
    import sqlite3  # the hub's own tools would not write what is refused here

    hub = make_hub().start()
    hub.stop()
    database = sqlite3.connect(hub.data_dir / "atalaia.db")
    database.execute("INSERT INTO alembic_version VALUES ('access_9999')")
    database.commit()
    database.close()
    done = run_cli("serve", "--data-dir", str(hub.data_dir), "--port", str(hub.port))
    assert done.returncode == 1
    assert "newer version" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_setting_that_nobody_knows_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    done = run_cli("serve", "--data-dir", str(tmp_path), env={"ATALAIA_PUBLIC_ULR": "https://x.example.org"})
    assert done.returncode == 1
    assert "ATALAIA_PUBLIC_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_backup_of_a_running_hub_brings_everything_back(hub: Hub, make_hub: MakeHub) -> None:
    client = hub.client("read", "write")
    client.made("/api/checks", {"name": "Nightly", "kind": "heartbeat", "period_s": 60, "grace_s": 60})
    archive = hub.folder / "backup.tar.zst"
    done = hub.cli("backup", "--to", str(archive), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["manifest"]["engine"] == "sqlite"
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600

    other = make_hub()
    key = ["--secret-key-file", str(hub.data_dir / "secret.key")]
    done = run_cli("restore", str(archive), "--data-dir", str(other.data_dir), *key)
    assert done.returncode == 0, done.stderr
    other.start()
    answer = type(client)(other.url, client.key).get("/api/checks")
    assert [check["name"] for check in answer.json["items"]] == ["Nightly"]


def test_a_damaged_backup_is_refused_and_leaves_nothing(shared_hub: Hub, tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar.zst"
    assert shared_hub.cli("backup", "--to", str(archive)).returncode == 0
    archive.write_bytes(archive.read_bytes()[:-100])
    done = run_cli("restore", str(archive), "--data-dir", str(tmp_path / "new"), "--without-key")
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert not (tmp_path / "new" / "atalaia.db").exists()


def test_migrate_tells_and_does(tmp_path: Path) -> None:
    where = {"ATALAIA_DATA_DIR": str(tmp_path / "data")}
    assert run_cli("migrate", "--check", env=where).returncode == 3
    assert "Applied" in run_cli("migrate", env=where).stdout
    assert run_cli("migrate", "--check", env=where).returncode == 0


def test_migrating_beside_a_running_hub_is_refused(shared_hub: Hub) -> None:
    done = shared_hub.cli("migrate")
    assert done.returncode == 1
    assert f"process {shared_hub.process.pid}" in done.stderr


def test_the_doctor_finds_a_running_hub_well(shared_hub: Hub) -> None:
    done = shared_hub.cli("doctor", "--port", str(shared_hub.port), "--json")
    findings = {finding["subject"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert {"settings", "directory", "key", "disk", "database", "port", "IPv4", "IPv6", "clock"} <= set(findings)
    assert f"process {shared_hub.process.pid}" in findings["hub"]["message"]
    outside = run_cli("doctor", "--url", shared_hub.url)
    assert outside.returncode == 0, outside.stdout


def test_the_doctor_says_what_to_do(hub: Hub) -> None:
    (hub.data_dir / "secret.key").chmod(0o644)
    done = hub.cli("doctor", "--port", str(hub.port))
    assert done.returncode == 1
    assert f"chmod 600 {hub.data_dir / 'secret.key'}" in done.stdout
    assert run_cli("doctor", "--url", f"http://127.0.0.1:{free_port()}").returncode == 1


def test_secrets_do_not_show_in_the_directory(hub: Hub) -> None:
    hub.make_admin()
    key = hub.make_key("read")
    hub.stop()
    content = b"".join(path.read_bytes() for path in hub.data_dir.rglob("*") if path.is_file())
    assert key.encode() not in content
    assert key not in hub.process.output
    assert stat.S_IMODE((hub.data_dir / "secret.key").stat().st_mode) == 0o600
