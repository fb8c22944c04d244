"""A snapshot says what runs where, by itself when that changes, and goes into a repository that several machines push to."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.fleet import Fleet
from tests.acceptance.hub import Hub, run_cli
from tests.servers import wait_until
from tests.unit.captures.recorded import frame, har, login_entry, message, socket_entry

pytestmark = pytest.mark.acceptance
CHANGED = frame("vcls_check_opr", '"client_id":77,"vehicle_id":"1","client_name":"Ágil","is_checked":"1",')


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("snapshot")).started() as fleet:
        assert fleet.finish(fleet.start_job(vehicle=1))["status"] == "completed"
        wait_until(lambda: "worker-1" in fleet.hub.cli("snapshot", "--stdout").stdout, what="who works is written down")
        yield fleet


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@example.org", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=90).stdout


def taken(hub: Hub) -> list[Path]:
    return sorted((hub.data_dir / "snapshots").glob("*_snapshot.md"))


def heads(hub: Hub) -> str:
    """Why each was taken."""
    return "\n".join(path.read_text(encoding="utf-8").splitlines()[2] for path in taken(hub))


def logged(hub: Hub) -> int:
    """Of how many the log says that they were taken: each is on disk a moment before."""
    return (hub.data_dir / "logs" / "atalaia.log").read_text(encoding="utf-8").count('"event": "snapshot_taken"')


def kept_in_mind(hub: Hub) -> str:
    """What the last look saw, which is written down after the snapshot: where that fails there is another one."""
    path = hub.data_dir / "snapshots" / "seen.json"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def test_it_says_versions_health_tokens_workers_templates_and_what_was_logged(fleet: Fleet) -> None:
    done = fleet.hub.cli("snapshot", "--stdout", "--note", "before | the update")
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert said.startswith("# Snapshot of ")
    assert "> before | the update" in said
    assert re.search(r"\*\*(ok|degraded)\*\*, version \d", said), said
    assert "| loops | yes |" in said
    assert re.search(r"\| default \| closed \| 42 characters, until \d{4}-[^|]* by login \|", said), said
    assert re.search(r"\| worker-1 \| (idle|working) \| \d+\.\d+\.\d+", said), said
    assert "| traffilog | execute_action_opr | built in |" in said
    assert re.search(r"\| branch \| \S", said), "the tests run from a checkout"
    assert '"event": "snapshot_taken"' in said, "the hub's log"
    assert "Could not be asked" not in said


def test_without_a_destination_it_is_a_file_among_the_hubs_own(fleet: Fleet) -> None:
    done = fleet.hub.cli("snapshot")
    path = Path(done.stdout.strip())
    assert path in taken(fleet.hub)
    assert path.stat().st_mode & 0o077 == 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d{6}_snapshot\.md", path.name)


def test_a_hub_elsewhere_is_asked_with_a_key_that_may(fleet: Fleet) -> None:
    hub = fleet.hub
    asked = ("snapshot", "--hub", hub.url, "--note", "from afar")
    done = run_cli(*asked, "--json", env={"ATALAIA_KEY": hub.make_key("admin")})
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["note"], told["health"]["checks"]["store"]) == ("from afar", True)
    assert ("traffilog", "up") in [(each["name"], each["state"]) for each in told["upstreams"]]
    assert told["log"]
    refused = run_cli(*asked, "--stdout", env={"ATALAIA_KEY": hub.make_key("read")})
    assert (refused.returncode, "403" in refused.stderr) == (1, True)


def test_it_is_pushed_beside_what_others_pushed_meanwhile(fleet: Fleet, tmp_path: Path) -> None:
    shared, mine, theirs = tmp_path / "shared.git", tmp_path / "mine", tmp_path / "theirs"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(shared))
    git(tmp_path, "clone", "--quiet", str(shared), str(mine))
    first = fleet.hub.cli("snapshot", "--publish", str(mine))
    assert first.returncode == 0, first.stderr
    git(tmp_path, "clone", "--quiet", str(shared), str(theirs))
    (theirs / "other.txt").write_text("x")
    git(theirs, "add", "other.txt")
    git(theirs, "commit", "--quiet", "-m", "other")
    git(theirs, "push", "--quiet")
    (mine / "half-written.txt").write_text("left alone")

    second = fleet.hub.cli("snapshot", "--publish", str(mine), "--note", "second")

    assert second.returncode == 0, second.stderr
    kept = git(shared, "ls-tree", "-r", "--name-only", "main").split()
    assert "other.txt" in kept
    assert "half-written.txt" not in kept
    ours = [name for name in kept if re.fullmatch(r"sessions/[^/]+/\d{4}-\d\d-\d\d_\d{6}_snapshot\.md", name)]
    assert len(ours) == 2
    assert "> second" in git(shared, "show", f"main:{ours[-1]}")


def test_a_repository_that_cannot_be_pushed_to_is_named(fleet: Fleet, tmp_path: Path) -> None:
    plain = fleet.hub.cli("snapshot", "--publish", str(tmp_path))
    assert (plain.returncode, "not a git repository" in plain.stderr) == (1, True)
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    lonely = fleet.hub.cli("snapshot", "--publish", str(tmp_path))
    assert (lonely.returncode, "no remote" in lonely.stderr) == (1, True)
    git(tmp_path, "remote", "add", "origin", str(tmp_path / "gone.git"))
    away = fleet.hub.cli("snapshot", "--publish", str(tmp_path))
    assert away.returncode == 1
    assert "gone.git" in away.stderr


def test_another_template_or_version_is_a_reason(tmp_path: Path) -> None:
    hub = Hub(tmp_path).start()
    try:
        wait_until(lambda: "the first start" in heads(hub), what="the first snapshot")
        file = har(login_entry(), socket_entry([message(CHANGED)]))
        client = hub.client("admin")
        sent = client.request(
            "POST", "/api/captures?upstream=traffilog", body=file, headers={"Content-Type": "application/json"}
        )
        assert sent.status == 201, sent.text
        wait_until(lambda: "other frame templates of traffilog" in heads(hub), what="one for the template")
        wait_until(lambda: logged(hub) == len(taken(hub)), what="a word of each")
        hub.stop()
        hub.process.env["ATALAIA_COMMIT"] = "abc1234"
        hub.start()
        wait_until(lambda: "(abc1234) in place of" in heads(hub), what="one for the version")
        wait_until(lambda: "abc1234" in kept_in_mind(hub), what="it is kept in mind")
        count = len(taken(hub))
        hub.restart()
        assert len(taken(hub)) == count == logged(hub)
    finally:
        hub.close()


def test_a_hub_that_does_not_run_has_a_snapshot_too(tmp_path: Path) -> None:
    nothing = run_cli("snapshot", "--data-dir", str(tmp_path / "nothing"))
    assert (nothing.returncode, "no hub's data" in nothing.stderr) == (1, True)
    assert not (tmp_path / "nothing").exists()
    hub = Hub(tmp_path).start()
    hub.stop()
    done = hub.cli("snapshot", "--stdout")
    assert done.returncode == 0, done.stderr
    assert "unknown: no hub runs on" in done.stdout
