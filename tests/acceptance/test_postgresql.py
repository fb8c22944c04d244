"""A hub on PostgreSQL: served, backed up, restored, moved to, and two of them on one database."""

from collections.abc import Callable

from tests.acceptance.calls import Client
from tests.acceptance.conftest import MakeHub
from tests.acceptance.hub import run_cli
from tests.servers import wait_until

JOB = {"name": "Nightly", "kind": "heartbeat", "period_s": 3600, "grace_s": 60}


def names(client: Client) -> list[str]:
    return [check["name"] for check in client.items("/api/checks")]


def test_a_backup_is_restored_to_another_database(make_hub: MakeHub, new_database: Callable[[], str]) -> None:
    hub = make_hub(database_url=new_database()).start()
    client = hub.client("read", "write")
    client.made("/api/checks", JOB)
    archive = hub.folder / "backup.tar.zst"
    done = hub.cli("backup", "--to", str(archive))
    assert done.returncode == 0, done.stderr
    hub.stop()

    other = make_hub(database_url=new_database())
    where = {"ATALAIA_DATA_DIR": str(other.data_dir), "ATALAIA_DATABASE_URL": str(other.database_url)}
    done = run_cli("restore", str(archive), "--secret-key-file", str(hub.data_dir / "secret.key"), env=where)
    assert done.returncode == 0, done.stderr
    other.start()
    assert names(Client(other.url, client.key)) == ["Nightly"]


def test_the_embedded_store_moves_there(make_hub: MakeHub, new_database: Callable[[], str]) -> None:
    hub = make_hub().start()
    client = hub.client("read", "write")
    client.made("/api/checks", JOB)
    hub.stop()
    url = new_database()
    done = run_cli("store", "copy", "--data-dir", str(hub.data_dir), "--to", url)
    assert done.returncode == 0, done.stderr
    moved = make_hub(database_url=url).start()
    assert names(Client(moved.url, client.key)) == ["Nightly"]


def test_two_hubs_share_a_database_and_one_takes_over(make_hub: MakeHub, new_database: Callable[[], str]) -> None:
    url = new_database()
    first, second = make_hub(database_url=url).start(), make_hub(database_url=url).start()
    client = first.client("read", "write")
    there = Client(second.url, client.key)
    check = client.made("/api/checks", {**JOB, "period_s": 1, "grace_s": 1})
    assert names(there) == ["Nightly"]
    assert there.get(check["ping_url"].removeprefix(first.url)).status == 200
    first.kill()  # the leader: the other one must notice that the heartbeat fails to come
    wait_until(lambda: there.get(f"/api/checks/{check['id']}").json["state"] == "down", what="the new leader")
