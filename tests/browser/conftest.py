"""Chromium on a hub of its own, and what every page must hold: no error in the console, nothing from elsewhere."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect, sync_playwright

from tests.acceptance.conftest import make_hub, receiver  # noqa: F401 - fixtures
from tests.acceptance.hub import Hub
from tests.servers import find_binary

_HERE = Path(__file__).parent
# The same engine without a window's own pages, for half the time of a processor, where it is there.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# What should be there at once may take a while on a busy machine; how quick pages are is for the benchmarks.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)
PHONE_PX = 500
OpenContext = Callable[..., BrowserContext]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(find_binary, BROWSERS)), None)
    if path is None:
        pytest.skip("Chromium is not installed (Debian: chromium-headless-shell)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS), timeout=PATIENCE_MS * 3)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What pages wrote into the console as an error, and what they asked of other hosts."""
    return []


@pytest.fixture
def open_context(browser: Browser, complaints: list[str]) -> Iterator[OpenContext]:
    """`open_context(width=360, color_scheme="dark", locale="pt-BR")`; a test fails at its end for any complaint."""
    opened: list[BrowserContext] = []

    def open_(
        *, width: int = 1280, height: int = 900, locale: str = "en-US", color_scheme: str = "light"
    ) -> BrowserContext:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale=locale,
            has_touch=width < PHONE_PX,  # what is pressed with a finger is larger, and must have room too
            color_scheme="dark" if color_scheme == "dark" else "light",
        )
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", lambda message: _note_error(message, complaints))
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on("request", lambda request: _note_foreign(request.url, complaints))
        opened.append(context)
        return context

    yield open_
    for context in opened:
        context.close()
    assert complaints == []


# What htmx says when a page is left while it still asks, when a newer question takes the place of one, or when an answer comes
# late, which the page is to get over; a true failure is named by the browser itself besides.
_LEFT_BEHIND = ("htmx:afterRequest", "htmx:sendError", "htmx:sendAbort", "htmx:timeout")


def _note_error(message: ConsoleMessage, complaints: list[str]) -> None:
    if message.type == "error" and not message.text.startswith(_LEFT_BEHIND):
        complaints.append(message.text)


def _note_foreign(url: str, complaints: list[str]) -> None:
    if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
        complaints.append(f"asked for {url}")


@pytest.fixture(scope="module")
def shared_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One running hub, with an administrator, for the tests of a module."""
    hub = Hub(tmp_path_factory.mktemp("browser"))
    try:
        hub.start()
        hub.make_admin()
        yield hub
    finally:
        hub.close()


UNSETTLED = (
    "[data-lazy][aria-busy=true], .htmx-request, .chart-plot.loading, [data-live-state]:not([data-live-state=online])"
)


def settle(page: Page) -> None:
    """Until parts that come after the page are there, charts are drawn and its stream is open."""
    page.wait_for_load_state()
    expect(page.locator(UNSETTLED)).to_have_count(0)


# Notices that vanish by themselves do so in 6 s; who looks for one may be later than that.
TOASTS_STAY = """
const forget = window.setTimeout;
window.setTimeout = (act, ms, ...more) => (ms === 6000 ? 0 : forget(act, ms, ...more));
"""


_sessions: dict[tuple[str, str], Any] = {}


def sign_in(page: Page, hub: Hub, email: str, password: str) -> None:
    """By the form once for each person of a hub, then with the session that it gave; the page stays where it is then."""
    cookie = _sessions.get((hub.url, email))
    if cookie is not None:
        page.context.add_cookies([cookie])
        if page.request.get(f"{hub.url}/account", max_redirects=0, timeout=PATIENCE_MS).ok:  # nobody ended it meanwhile
            return
    sign_in_by_form(page, hub, email, password)
    (given,) = (cookie for cookie in page.context.cookies(hub.url) if cookie["name"] == "atalaia_session")
    _sessions[hub.url, email] = {"name": given["name"], "value": given["value"], "url": hub.url}


def sign_in_by_form(page: Page, hub: Hub, email: str, password: str) -> None:
    page.goto(f"{hub.url}/sign-in")
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", password)
    page.click("main form button[type=submit]")
    page.wait_for_url(lambda url: "/sign-in" not in url)


def press_and_agree(button: Locator) -> None:
    """Press what asks first, and then what the question's own button says."""
    button.first.click()
    button.page.locator("dialog.asking button[value=go]").click()
