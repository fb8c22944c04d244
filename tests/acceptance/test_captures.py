"""A capture comes in beside a running hub, and nothing that signs in is left anywhere on its disk."""

import json
from pathlib import Path

import pytest

from tests.acceptance.hub import Hub
from tests.unit.captures.recorded import SECRETS, frame, har, login_entry, message, socket_entry

CHECK = frame("vcls_check_opr", '"client_id":"77","vehicle_id":"1","client_name":"Ágil","is_checked":"1",')


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Two recordings that differ in one type."""
    paths = tmp_path / "before.har", tmp_path / "after.har"
    for path, text in zip(paths, (CHECK, CHECK.replace('"is_checked":"1"', '"is_checked":1')), strict=True):
        path.write_bytes(har(login_entry(), socket_entry([message(text), message(text, type="receive")])))
    return paths


def test_a_capture_changes_the_templates_of_a_running_hub_and_can_be_taken_back(
    hub: Hub, files: tuple[Path, Path]
) -> None:
    client = hub.client("admin")
    address = "/api/upstreams/traffilog/templates"
    before = client.get(address).json
    done = hub.cli("capture", "import", str(files[1]), "--upstream", "traffilog", "--json")
    assert done.returncode == 0, done.stderr
    assert "vcls_check_opr" in json.loads(done.stdout)["changed"]
    after = client.get(address).json
    assert after["etag"] != before["etag"]
    assert after["templates"]["vcls_check_opr"]["version"] == 1
    assert hub.cli("capture", "activate", "vcls_check_opr", "0", "--upstream", "traffilog").returncode == 0
    assert client.get(address).json["templates"]["vcls_check_opr"] == before["templates"]["vcls_check_opr"]


def test_nothing_that_signs_in_is_left_on_the_disk_or_in_a_backup(hub: Hub, files: tuple[Path, Path]) -> None:
    client = hub.client("admin")
    assert hub.cli("capture", "import", str(files[0]), "--upstream", "traffilog").returncode == 0
    broken = files[1].with_name("broken.har")
    broken.write_bytes(files[1].read_bytes()[:-30])
    refused = hub.cli("capture", "import", str(broken), "--upstream", "traffilog")
    assert refused.returncode == 1
    archive = hub.folder / "backup.tar"
    assert hub.cli("backup", "--to", str(archive)).returncode == 0
    pages = [client.get(path).text for path in ("/api/captures", "/api/audit", "/metrics")]
    capture_id = client.items("/api/captures")[0]["id"]
    pages += [client.get(f"/api/captures/{capture_id}").text, refused.stdout, refused.stderr, hub.process.output]
    hub.stop()
    kept = [path.read_bytes() for path in hub.folder.rglob("*") if path.is_file() and path.suffix != ".har"]
    everything = b"".join(kept) + "".join(pages).encode()
    assert b"vcls_check_opr" in everything
    assert [secret for secret in SECRETS if secret.encode() in everything] == []
