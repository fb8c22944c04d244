"""Pages that stay as they are left open: what changes is shown without a reload, and what a person does is answered."""

import itertools
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.acceptance.hub import ADMIN, PASSWORD, Hub
from tests.browser.conftest import TOASTS_STAY, OpenContext, sign_in, sign_in_by_form
from tests.browser.test_pages import STILL
from tests.servers import wait_until

LIVE_MS = 60_000
_numbers = itertools.count()


class Job:
    """A heartbeat check that is up: a state that can be changed from outside, at once and without an agent."""

    def __init__(self, hub: Hub) -> None:
        self._client = hub.client("write", "read", "ingest")
        self.name = f"job {next(_numbers)}"
        spec = {"name": self.name, "kind": "heartbeat", "period_s": 3600, "grace_s": 60}
        made = self._client.post("/api/checks", spec).json
        self.path = f"/checks/{made['id']}"
        self._ping_path = made["ping_url"].removeprefix(hub.url)
        self.succeed()

    def succeed(self) -> None:
        self._client.post(self._ping_path, {})

    def fail(self) -> None:
        self._client.post(f"{self._ping_path}/fail", {})


@pytest.fixture
def job(shared_hub: Hub) -> Iterator[Job]:
    """Up before and after: other tests look at all checks there are."""
    job = Job(shared_hub)
    yield job
    job.succeed()


@pytest.fixture
def page(open_context: OpenContext, shared_hub: Hub) -> Page:
    page = open_context(width=1920, height=1080).new_page()
    sign_in(page, shared_hub, ADMIN, PASSWORD)
    return page


def _stay(page: Page) -> None:
    page.evaluate("window.isSamePage = true")


def _stayed(page: Page) -> bool:
    return bool(page.evaluate("window.isSamePage === true"))


def _await_live(page: Page) -> None:
    expect(page.locator("[data-live-state=online]").first).to_be_visible(timeout=LIVE_MS)


def test_the_overview_and_the_wall_follow_what_happens_without_a_reload(page: Page, shared_hub: Hub, job: Job) -> None:
    page.goto(f"{shared_hub.url}/")
    page.click("text=Wall")
    page.wait_for_url("**/?wall=true")
    expect(page.locator(".side")).to_have_count(0)
    expect(page.locator(".verdict")).to_contain_text("All is well")
    _await_live(page)
    _stay(page)
    job.fail()
    expect(page.locator(".verdict")).to_contain_text("1 check is down", timeout=LIVE_MS)
    expect(page.locator(".row-link").first).to_have_text(f"{job.name} is down")
    # Capital letters of 17 mm on a screen of 50 inches: 5 metres.
    sizes = page.evaluate(
        "['.verdict-text', '.row-link'].map(s => parseFloat(getComputedStyle(document.querySelector(s)).fontSize))"
    )
    assert sizes[0] >= 0.08 * 1080
    assert sizes[1] >= 0.035 * 1080
    job.succeed()
    expect(page.locator(".verdict")).to_contain_text("All is well", timeout=LIVE_MS)
    assert _stayed(page)
    page.hover("body")
    page.click("text=Leave the wall")
    expect(page.locator(".side")).to_be_visible()


def test_the_heading_of_a_check_says_how_it_stands_now(page: Page, shared_hub: Hub, job: Job) -> None:
    page.goto(f"{shared_hub.url}{job.path}")
    badge = page.locator("#head-state")
    expect(badge).to_have_text("Up")
    _await_live(page)
    _stay(page)
    job.fail()
    expect(badge).to_have_text("Down", timeout=LIVE_MS)
    expect(page.locator("#check-more")).to_contain_text("Up → Down")
    expect(page.locator("#head-state")).to_have_count(1)
    job.succeed()
    expect(badge).to_have_text("Up", timeout=LIVE_MS)
    assert _stayed(page)


def test_what_happened_before_the_stream_was_open_is_shown(page: Page, shared_hub: Hub, job: Job) -> None:
    def late(route: Route) -> None:
        job.fail()
        route.continue_()

    page.route("**/events", late, times=1)
    page.goto(f"{shared_hub.url}{job.path}")
    expect(page.locator("#head-state")).to_have_text("Down", timeout=LIVE_MS)


def test_a_page_that_was_out_of_sight_missed_nothing(page: Page, shared_hub: Hub, job: Job) -> None:
    page.goto(f"{shared_hub.url}{job.path}")
    _await_live(page)
    _show(page, False)
    job.fail()
    waiting: list[Route] = []
    page.route("**/events", lambda route: waiting.append(route), times=1)  # noqa: PLW0108 - the library marks its handlers
    with page.expect_request("**/events"):
        _show(page, True)
    expect(page.locator("#head-state")).to_have_text("Down", timeout=LIVE_MS)
    job.succeed()
    waiting.pop().continue_()
    expect(page.locator("#head-state")).to_have_text("Up", timeout=LIVE_MS)


def test_news_that_come_while_an_older_answer_is_on_its_way_are_not_lost_with_it(
    page: Page, shared_hub: Hub, job: Job
) -> None:
    def patient(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("delay:60ms", "delay:2s"))

    asked: list[Route] = []
    now = f"**{job.path}/now"
    page.route(f"**{job.path}", patient)
    page.route(now, lambda route: asked.append(route), times=1)  # noqa: PLW0108 - the library marks its handlers
    with page.expect_request(now):
        page.goto(f"{shared_hub.url}{job.path}")
    while not asked:  # it is handed over while the page is asked something
        page.title()
    older = asked[0].fetch()
    page.evaluate(TOLD_OF, [f"live:checks:{job.path.rpartition('/')[2]}", "live:incidents"])
    job.fail()
    wait_until(lambda: page.evaluate("window.untold.size") == 0, what="the stream has told", timeout_s=60)
    asked[0].fulfill(response=older)
    expect(page.locator("#head-state")).to_have_text("Down", timeout=LIVE_MS)


def test_a_part_that_could_not_be_had_is_asked_for_again(
    page: Page, shared_hub: Hub, job: Job, complaints: list[str]
) -> None:
    page.goto(f"{shared_hub.url}{job.path}")
    _await_live(page)
    page.route(f"**{job.path}/now", lambda route: route.abort())
    job.fail()
    expect(page.locator("#check-now[data-stale]")).to_have_count(1, timeout=LIVE_MS)
    page.unroute(f"**{job.path}/now")
    expect(page.locator("#head-state")).to_have_text("Down", timeout=LIVE_MS)
    complaints.clear()  # the browser's own word about what was cut


def test_a_part_that_does_not_come_says_so_and_can_be_asked_for(page: Page, shared_hub: Hub, job: Job) -> None:
    def in_haste(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=re.sub(r"(timeout\W+)20000", r"\g<1>100", answer.text()))

    unanswered: list[Route] = []
    page.route(f"**{job.path}", in_haste)
    page.route(f"**{job.path}/stats", lambda route: unanswered.append(route))  # noqa: PLW0108 - the library marks its handlers
    page.goto(f"{shared_hub.url}{job.path}")
    part = page.locator("[data-lazy]")
    expect(part).to_contain_text("The server can't be reached.")
    page.unroute(f"**{job.path}/stats")
    page.evaluate("htmx.config.timeout = 0")
    part.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-lazy]")).to_have_count(0)


def _show(page: Page, is_shown: bool) -> None:
    """As if the reader went to another tab and came back."""
    page.evaluate(
        """is => {
          Object.defineProperty(document, "hidden", { value: !is, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_shown,
    )


TOLD_OF = """names => {
  window.untold = new Set(names);
  for (const name of names) document.body.addEventListener(name, () => window.untold.delete(name));
}"""

# What the stream would say; when it is over, what the page asked for then is there.
NEWS = """async () => {
  document.body.dispatchEvent(new CustomEvent("live:checks", { detail: { ids: [] } }));
  for (let n = 0; n < 3; n += 1) await (await fetch("/checks/rows")).text();
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


@pytest.fixture
def row(page: Page, shared_hub: Hub, job: Job) -> Locator:
    """Of the list of checks, which is live."""
    page.goto(f"{shared_hub.url}/checks?q={quote(job.name)}")
    _await_live(page)
    page.evaluate(STILL)  # a press may be as slow as this machine
    return page.locator(f"#rows tr:has(a[href='{job.path}'])")


def test_news_in_the_middle_of_a_click_does_not_swallow_it(page: Page, job: Job, row: Locator) -> None:
    row.locator("a").first.hover()
    page.mouse.down()
    job.fail()
    page.evaluate(NEWS)
    page.mouse.up()
    page.wait_for_url(f"**{job.path}")


def test_news_that_waited_for_the_end_of_a_press_are_shown_then(page: Page, job: Job, row: Locator) -> None:
    page.locator("#rows th").last.hover()
    page.mouse.down()
    job.fail()
    page.evaluate(NEWS)
    expect(row).to_have_attribute("data-state", "up")
    page.mouse.up()
    expect(row).to_have_attribute("data-state", "down")


def test_who_goes_through_a_list_by_keys_stays_where_it_was_when_it_comes_anew(
    page: Page, job: Job, row: Locator
) -> None:
    page.keyboard.press("j")
    expect(row.locator("a").first).to_be_focused()
    job.fail()
    page.evaluate(NEWS)
    expect(row).to_have_attribute("data-state", "down")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{job.path}")


def test_an_error_in_a_form_is_announced_has_the_focus_and_leads_to_its_field(
    page: Page, shared_hub: Hub, complaints: list[str]
) -> None:
    page.goto(f"{shared_hub.url}/checks/new")
    page.fill("input[name=name]", "typed with care")
    page.fill("input[name=target]", "no address")
    page.click("main form button:has-text('Save')")
    alert = page.locator("form [role=alert]")
    expect(alert).to_be_focused()
    expect(page.locator("input[name=name]")).to_have_value("typed with care")
    expect(page.locator("input[name=target]")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#toasts")).to_be_empty()
    alert.locator("a").click()
    expect(page.locator("input[name=target]")).to_be_focused()
    complaints.clear()  # the browser's own word about the status 422


def test_a_form_without_agents_says_so_and_shows_the_line_to_paste(page: Page, shared_hub: Hub) -> None:
    page.goto(f"{shared_hub.url}/checks/new")
    page.fill("input[name=name]", "typed before")
    page.click("text=Show the line to paste")
    expect(page.locator("#agent-line input")).to_have_value(re.compile("agent[.]pyz"), timeout=LIVE_MS)
    expect(page.locator("main form.form input[name=name]")).to_have_value("typed before")


def test_what_was_saved_is_confirmed(page: Page, shared_hub: Hub) -> None:
    page.add_init_script(TOASTS_STAY)
    page.goto(f"{shared_hub.url}/settings")
    page.click("#access button:has-text('Save')")
    expect(page.locator("#toasts")).to_contain_text("Saved.")
    page.reload()
    expect(page.locator("#toasts")).to_be_empty()


def test_the_theme_goes_with_the_account(page: Page, open_context: OpenContext, shared_hub: Hub) -> None:
    page.goto(f"{shared_hub.url}/account")
    # Where the second press comes late, the first is kept by itself before.
    with page.expect_response(lambda answer: answer.request.post_data == "theme=dark") as kept:
        for _ in range(2):  # as the system, light, dark
            page.click("[data-theme-next]")
    assert kept.value.status == 204
    other = open_context().new_page()
    sign_in_by_form(other, shared_hub, ADMIN, PASSWORD)
    expect(other.locator("html")).to_have_attribute("data-theme", "dark")
    with other.expect_response("**/account/theme"):
        other.click("[data-theme-next]")
