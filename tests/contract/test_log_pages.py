"""The hub's log on a page: found by what people know of it, for admins alone, and without a secret."""

from pathlib import Path

import pytest
import structlog

from atalaia.app.hub import Hub
from atalaia.core.redaction import Secret
from tests.contract.access_site import Browser
from tests.contract.hub_site import visit_hub


def test_an_error_is_found_by_level_by_text_and_by_its_request(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        log = structlog.get_logger()
        log.info("agent_enrolled", agent="sp-1")
        log.error("unhandled_error", request_id="abc-1f", why="<b>it broke</b>")
        whole = (await browser.get("/logs")).text
        assert whole.index("unhandled_error") < whole.index("agent_enrolled"), "the newest first"
        assert "&lt;b>it broke" in whole or "&lt;b&gt;it broke" in whole
        for asked in ("level=error", "q=IT+BROKE", "request=abc-1f", "until=2999-01-01T00:00&level=warning"):
            page = (await browser.get(f"/logs?{asked}")).text
            assert ("unhandled_error" in page, "agent_enrolled" in page) == (True, False), asked
        nothing = await browser.get("/logs?q=no+such+thing&from=2999-01-01T00:00")
        assert (nothing.status_code, "Nothing like that in the log" in nothing.text) == (200, True)

    visit_hub(tmp_path, visit)


def test_pages_of_the_log_follow_each_other(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        for number in range(120):
            structlog.get_logger().info("counted", n=f"#{number}#")
        seen, address, pages = "", "/logs?q=counted", 0
        while address:
            page = (await browser.get(address)).text
            seen += page
            pages += 1
            _, _, rest = page.partition('rel="next" href="')
            address = rest.partition('"')[0].replace("&amp;", "&")
        assert pages == 3
        assert [seen.count(f"n=#{number}#") for number in range(120)] == [1] * 120

    visit_hub(tmp_path, visit)


@pytest.mark.parametrize("asked", ["from=yesterday", "until=0001-01-01T00:00", "cursor=x", "cursor=WzEsLTUsMl0"])
def test_what_can_not_be_asked_is_said(tmp_path: Path, asked: str) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        assert (await browser.get(f"/logs?{asked}")).status_code in {200, 422}

    visit_hub(tmp_path, visit)


def test_a_secret_that_was_logged_is_on_no_page(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        structlog.get_logger().warning("written_before_it_was_known", address="wss://host/canary-early/json")
        Secret("canary-early")
        Secret("canary-token-1")
        failure = ValueError("login refused: canary-token-1")
        structlog.get_logger().error("login_failed", token="canary-token-1", exc_info=failure)
        for address in ("/logs", "/logs?level=error", "/logs?q=login"):
            page = (await browser.get(address)).text
            assert "login_failed" in page
            assert "canary" not in page

    visit_hub(tmp_path, visit)
