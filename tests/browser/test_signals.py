"""A signal in a browser: made with a form, sent from elsewhere, seen as it happens."""

from playwright.sync_api import Route, expect

from tests.acceptance.hub import ADMIN, PASSWORD, Hub
from tests.browser.conftest import OpenContext, sign_in


def test_a_signal_is_made_by_keyboard_and_its_runs_appear_as_they_happen(
    open_context: OpenContext, shared_hub: Hub
) -> None:
    page = open_context(width=360, height=740).new_page()
    sign_in(page, shared_hub, ADMIN, PASSWORD)
    page.goto(f"{shared_hub.url}/signals")
    page.keyboard.press("n")
    page.wait_for_url("**/signals/-/new")
    expect(page.locator("#f-name")).to_be_focused()
    page.keyboard.type("look-now")
    page.keyboard.press("Tab")
    page.locator("input[name=task][value=job]").press("Space")
    page.locator("#f-job_type").fill("tidy")
    page.locator("#f-min_interval_s").fill("0")
    page.locator("#f-min_interval_s").press("Enter")
    page.wait_for_url("**/signals/look-now")
    expect(page.locator("#runs")).to_contain_text("No run is on record yet")
    expect(page.locator("#head-state")).to_contain_text("Not heard of yet")

    client = shared_hub.client("admin")
    assert client.post("/api/signals/look-now", {"source": "vps-7"}).status == 202
    expect(page.locator("#runs tbody tr")).to_have_count(1, timeout=60_000)
    expect(page.locator("#head-state")).to_contain_text("In order", timeout=60_000)

    page.get_by_role("button", name="Run now").click()
    expect(page.locator("#runs tbody tr")).to_have_count(2, timeout=60_000)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#head-state")).to_contain_text("Paused")
    assert client.post("/api/signals/look-now", {}).status == 409
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_a_chart_has_its_figures_in_a_table(open_context: OpenContext, shared_hub: Hub) -> None:
    client = shared_hub.client("admin")
    job = {"type": "tidy", "payload": {}}
    client.made("/api/signals", {"name": "charted", "task": "job", "job": job, "min_interval_s": 0})
    assert client.post("/api/signals/charted", {}).status == 202
    page = open_context(locale="pt-BR").new_page()
    sign_in(page, shared_hub, ADMIN, PASSWORD)
    script: list[Route] = []
    page.route("**/js/chart.js*", lambda route: script.append(route))  # noqa: PLW0108 - the library marks its handlers
    page.goto(f"{shared_hub.url}/signals/charted")
    chart = page.locator("#durations")
    for button in (chart.get_by_role("button", name="Tabela"), page.get_by_role("button", name="6 h", exact=True)):
        expect(button).to_be_disabled()  # nobody would hear it yet
    script.pop().continue_()
    chart.get_by_role("button", name="Tabela").click()
    expect(chart.locator("table")).to_contain_text("Em média", timeout=60_000)
    page.get_by_role("button", name="6 h", exact=True).click()
    expect(chart.locator("table")).to_contain_text("A mais lenta", timeout=60_000)
