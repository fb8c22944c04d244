"""From the first start to the first alert and back, as a new user goes it, with nginx as the thing that breaks."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.conftest import MakeHub
from tests.acceptance.receiver import Receiver
from tests.browser.conftest import OpenContext
from tests.servers import find_binary, free_port, is_listening, wait_until
from tests.stopwatch import Stopwatch

INTERVAL_S, FAILURES = 2, 2
LIVE_MS = 60_000


class Nginx:
    """A web server that can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._binary = find_binary("nginx") or ""
        (folder / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;"
            f"events {{}} http {{ access_log off; server {{ listen 127.0.0.1:{self.port}; return 200 'well'; }} }}"
        )

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._binary, "-p", str(self._folder), "-c", str(self._folder / "nginx.conf")], stderr=subprocess.DEVNULL
        )
        wait_until(lambda: is_listening(self.port), what="nginx")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    if find_binary("nginx") is None:
        pytest.skip("nginx is not installed (Debian: nginx-light)")
    server = Nginx(tmp_path)
    server.start()
    yield server
    server.stop()


@contextlib.contextmanager
def within(seconds: float, what: str) -> Iterator[None]:
    watch = Stopwatch()
    yield
    took = watch.took_s - watch.late_s
    assert took <= seconds, f"{what} took {took:.1f} s"


def test_from_the_first_start_to_the_first_alert_and_back(
    make_hub: MakeHub, open_context: OpenContext, receiver: Receiver, nginx: Nginx
) -> None:
    hub = make_hub().start()
    page = open_context().new_page()
    wait_until(lambda: hub.first_start is not None, what="the address of the first start")
    _make_account(page, hub.first_start or "")
    hub.agent("local")
    hub.await_agent("local")
    _make_channel(page, hub.url, receiver)
    check_page = _make_check(page, hub.url, nginx.port)
    expect(page.locator("#check-now .stat.s-up")).to_be_visible(timeout=LIVE_MS)

    page.goto(f"{hub.url}/")
    expect(page.locator(".verdict")).to_contain_text("All is well", timeout=LIVE_MS)
    nginx.stop()
    with within(INTERVAL_S * FAILURES + 5, "the message"):
        opened = receiver.await_event("incident.opened")
    assert opened.is_signed_with("a secret for the receiver")
    expect(page.locator(".verdict")).to_contain_text("1 check is down", timeout=LIVE_MS)
    page.click("text=site is down")
    expect(page.locator("h1")).to_contain_text("site is down")

    nginx.start()
    recovered = receiver.await_event("incident.recovered")
    assert recovered.json["incident"]["id"] == opened.json["incident"]["id"]
    expect(page.locator("main")).to_contain_text("Resolved", timeout=LIVE_MS)
    page.goto(check_page)
    expect(page.locator("#check-now .stat.s-up")).to_be_visible(timeout=LIVE_MS)


def _make_account(page: Page, address: str) -> None:
    page.goto(address)
    page.fill("input[name=email]", "ana@example.org")
    page.fill("input[name=name]", "Ana")
    for field in page.query_selector_all("input[type=password]"):
        field.fill("a password that nobody guesses")
    page.click("main form button[type=submit]")
    page.wait_for_url("**/welcome")


def _make_channel(page: Page, url: str, receiver: Receiver) -> None:
    page.goto(f"{url}/channels")
    expect(page.locator(".banner.danger")).to_contain_text("Nobody will be told")
    page.goto(f"{url}/channels/new")
    page.fill("input[name=name]", "Receiver")
    page.check("input[name=kind][value=webhook]", force=True)
    page.fill("input[name$=url]:visible", f"{receiver.url}/hook")
    page.fill("input[name$=secret]:visible", "a secret for the receiver")
    with page.expect_navigation():
        page.click("main form button[type=submit]:has-text('Save')")
    page.goto(f"{url}/routes/new")
    with page.expect_navigation():
        page.click("main form button[type=submit]:has-text('Save')")
    page.goto(f"{url}/")
    expect(page.locator(".banner.danger")).to_have_count(0)


def _make_check(page: Page, url: str, port: int) -> str:
    """With a try before it is saved; the address of its page."""
    page.goto(f"{url}/checks/new")
    page.fill("input[name=name]", "site")
    page.fill("input[name=target]", f"http://127.0.0.1:{port}/")
    page.fill("input[name=interval_s]", str(INTERVAL_S))
    page.fill("input[name=timeout_s]", "30")  # what is away refuses at once; a busy machine is not away
    page.click("button:has-text('Try now')")
    expect(page.locator("#try")).to_contain_text("200", timeout=LIVE_MS)
    page.click("main form button:has-text('Save')")
    page.wait_for_url(lambda found: "/checks/" in found and "new" not in found)
    return page.url
