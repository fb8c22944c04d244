"""Kept snapshots on pages: when, why, what it says, taken along; for admins, without a secret, and nothing else of the disk."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from atalaia.app.hub import Hub
from atalaia.app.snapshots.keeping import keep
from atalaia.core.permissions import Role
from atalaia.core.redaction import Secret
from tests.contract.access_site import Browser
from tests.contract.hub_site import visit_hub

NAME = "2026-03-01_120000_snapshot.md"
TEXT = "# Snapshot of sp-1\n\nTaken because: version 2 in place of 1 \\| more.\n\n> before the <update>\n\n| what | which |\n"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_one_is_taken_listed_read_and_taken_along(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        assert "No snapshot is kept yet" in (await browser.get("/snapshots")).text
        taken = await browser.post("/snapshots")
        assert taken.status_code == 303
        address = taken.headers["location"]
        shown = await browser.get(address)
        assert "## Health" in shown.text
        assert "asked for by" in shown.text
        assert address in (await browser.get("/snapshots")).text
        audit = (await browser.get("/audit")).text
        assert "snapshot.taken" in audit, "who took it is on record"
        assert f"snapshot:{address.rpartition('/')[2]}" in audit
        file = await browser.get(f"{address}/download")
        assert file.headers["content-disposition"] == f'attachment; filename="{address.rpartition("/")[2]}"'
        assert file.text.startswith("# Snapshot of ")

    visit_hub(tmp_path, visit)


def test_the_list_says_when_and_why_the_newest_first(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        keep(tmp_path, TEXT, AT)
        keep(tmp_path, "# Snapshot of sp-1\n\nTaken because: the first start.\n", AT.replace(year=2025))
        (tmp_path / "snapshots" / "9999-99-99_999999_snapshot.md").write_text("no day", encoding="utf-8")
        page = (await browser.get("/snapshots")).text
        assert page.index("version 2 in place of 1 | more") < page.index("the first start")
        assert "before the &lt;update" in page
        assert "9999-99" not in page

    visit_hub(tmp_path, visit)


@pytest.mark.parametrize(
    "name",
    ["seen.json", "..%2fatalaia.db", "%2e%2e", "2026-03-01_120001_snapshot.md", "２026-03-01_120000_snapshot.md"],
)
def test_nothing_else_is_read(tmp_path: Path, name: str) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        keep(tmp_path, TEXT, AT)
        (tmp_path / "snapshots" / "seen.json").write_text("{}", encoding="utf-8")
        for address in (f"/snapshots/{name}", f"/snapshots/{name}/download"):
            assert (await browser.get(address)).status_code == 404, address

    visit_hub(tmp_path, visit)


def test_a_secret_that_became_known_later_is_starred_out(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        keep(tmp_path, TEXT.replace("version 2", "canary-in-snapshot"), AT)
        Secret("canary-in-snapshot")
        for address in ("/snapshots", f"/snapshots/{NAME}", f"/snapshots/{NAME}/download"):
            said = (await browser.get(address)).text
            assert "in place of 1" in said
            assert "canary" not in said

    visit_hub(tmp_path, visit)


def test_they_are_for_admins_alone(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        keep(tmp_path, TEXT, AT)
        for address in ("/snapshots", f"/snapshots/{NAME}", f"/snapshots/{NAME}/download", "/logs"):
            assert (await browser.get(address)).status_code == 403

    visit_hub(tmp_path, visit, role=Role.AGENT)
