"""A snapshot can be pasted anywhere: no secret of a unit file, no text of others that breaks its form."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from atalaia.app.snapshots.facts import Health, Installation, RunnerFact, Snapshot
from atalaia.app.snapshots.installation import checkout, read_units, redacted
from atalaia.app.snapshots.writing import file_name, markdown
from atalaia.cli.publishing import plain
from atalaia.core.redaction import Secret

AT = datetime(2026, 11, 22, 12, 30, 5, tzinfo=UTC)
HERE = Installation(
    host="sp-1", system="Linux", python="3.11", version="1.0", commit=None, folder="/opt", checkout=None, units=()
)
TAKEN = Snapshot(
    taken_at=AT, reason="a test", note="", installation=HERE, store="SQLite", public_url="http://x", health=Health()
)


@pytest.mark.parametrize(
    "line",
    [
        "Environment=ATALAIA_TRAFFILOG_PASSWORD=canary-1",
        'Environment="ATALAIA_TRAFFILOG_PASSWORD=canary-1 and canary-2"',
        "Environment='ADMIN_KEY=canary-1 canary-2' X=1",
        r'Environment="ADMIN_KEY=a\"canary-1"',
        "Environment=CRON_SECRET='canary-1 canary-2'",
        "Environment=ATALAIA_DATABASE_URL=postgresql://u:canary-1@db/x",
        "Environment=PROFILE_PASSWORD=canary-1",
        "SetCredential=atalaia.token:canary-1",
        "ExecStart=/bin/atalaia worker --key canary-1 --hub https://x",
        "ExecStart=/bin/curl -H 'Authorization: Bearer canary-1'",
    ],
)
def test_secrets_of_a_unit_are_stars(line: str) -> None:
    assert "canary" not in redacted(line)
    assert "***" in redacted(line)


@pytest.mark.parametrize(
    "line",
    [
        "Environment=ATALAIA_KEY_FILE=/etc/atalaia/key",
        "LoadCredential=atalaia.key:/etc/atalaia/key",
        "ExecStart=/opt/atalaia/.venv/bin/atalaia worker --key-file /etc/atalaia/key --hub https://x",
        "After=network-online.target basic.target",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert redacted(line) == line


def test_units_and_their_drop_ins_are_found_by_name_and_by_what_they_run(tmp_path: Path) -> None:
    etc, lib = tmp_path / "etc", tmp_path / "lib"
    for path, text in {
        etc / "atalaia.service": "[Service]\nExecStart=/etc/one",
        lib / "atalaia.service": "[Service]\nhidden by the other",
        etc / "atalaia.service.d" / "10-memory.conf": "[Service]\nMemoryMax=2G",
        lib / "atalaia.service.d" / "20.conf": "[Service]\nEnvironment=X_TOKEN=canary",
        lib / "fleet.service": "[Service]\nExecStart=/opt/atalaia/bin/atalaia worker",
        lib / "other.service": "[Service]\nExecStart=/bin/true",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = read_units([etc, lib, tmp_path / "nowhere"])
    assert [Path(unit.path).name for unit in found] == ["atalaia.service", "10-memory.conf", "20.conf", "fleet.service"]
    assert "hidden" not in str(found)
    assert "canary" not in str(found)


def test_a_checkout_says_branch_commit_and_what_is_changed(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.org", *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=90)

    assert checkout(tmp_path) is None
    git("init", "--quiet", "--initial-branch=stable")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "--quiet", "-m", "First")
    clean = checkout(tmp_path)
    assert clean is not None
    assert (clean.branch, len(clean.commit), clean.subject, list(clean.changed)) == ("stable", 40, "First", [])
    (tmp_path / "a").write_text("2")
    dirty = checkout(tmp_path)
    assert dirty is not None
    assert list(dirty.changed) == [" M a"]


def test_what_others_wrote_breaks_no_table_and_no_fence() -> None:
    worker = RunnerFact(
        name="a | b\n# c", version="1", commit="", state="idle", seen_at=None, address="<script>", detail=""
    )
    text = markdown(msgspec.structs.replace(TAKEN, workers=[worker], log=['{"event": "```"}']))
    assert "| a \\| b # c | idle | 1 | never | &lt;script> |  |" in text
    assert "````json\n" in text


def test_known_secrets_are_starred_out_of_the_whole() -> None:
    Secret("snapshot-canary-7")
    text = markdown(msgspec.structs.replace(TAKEN, note="see snapshot-canary-7", log=["snapshot-canary-7"]))
    assert "snapshot-canary" not in text


def test_files_sort_by_time_and_hosts_are_folders() -> None:
    assert file_name(AT) == "2026-11-22_123005_snapshot.md"
    assert [plain(name) for name in ("sp-1.example.org", "../etc", "a b/c", "..")] == [
        "sp-1.example.org",
        "etc",
        "a-b-c",
        "unknown",
    ]
