"""Every page, wide and narrow, light and dark, in both languages: nothing breaks, nothing sticks out, axe finds nothing."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.hub import ADMIN, PASSWORD, Hub
from tests.browser.conftest import OpenContext, settle, sign_in
from tests.servers import wait_until

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
# WCAG 2.2 AA: https://github.com/dequelabs/axe-core/blob/develop/doc/API.md#axe-core-tags
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PAGES = (
    "/",
    "/?wall=true",
    "/checks",
    "/checks/new",
    "CHECK",
    "HEARTBEAT",
    "/incidents",
    "INCIDENT",
    "/agents",
    "AGENT",
    "/latency",
    "/explore",
    "/explore?metric=probe_duration_seconds",
    "/channels",
    "/channels/new",
    "/routes/new",
    "/deliveries",
    "/keys",
    "/keys/new",
    "/people",
    "/people/new",
    "/audit",
    "/captures",
    "/captures/diff",
    "/captures/templates",
    "/captures/templates/traffilog/execute_action_opr",
    "/settings",
    "/snapshots",
    "SNAPSHOT",
    "/logs",
    "/logs?q=nothing+like+it",
    "/account",
    "/search?q=site",
    "/jobs",
    "/jobs?status=dead",
    "/jobs/new",
    "/jobs/new?type=scheme_builder",
    "/jobs/new/free",
    "/jobs/workers",
    "/binance",
    "/binance/history",
    "/binance/accounts",
    "/binance/operations/new",
    "/binance/panic",
    "DEPARTED",
    "UNKNOWN",
    "WAITING",
    "/signals",
    "/signals?state=up",
    "/signals/-/new",
    "/signals/-/new?task=webhook",
    "/signals/look",
    "/signals/look/edit",
    "/signals/nightly",
)
JOB_STATES = {"DEPARTED": "failed", "UNKNOWN": "unknown", "WAITING": "waiting"}
LOOKS = (
    ("wide-light-en", {"width": 1280, "locale": "en-US", "color_scheme": "light"}),
    ("narrow-dark-pt", {"width": 360, "height": 740, "locale": "pt-BR", "color_scheme": "dark"}),
    ("wide-dark-pt", {"width": 1280, "locale": "pt-BR", "color_scheme": "dark"}),
    ("narrow-light-en", {"width": 360, "height": 740, "locale": "en-US", "color_scheme": "light"}),
)


@pytest.fixture(scope="module")
def filled_hub(shared_hub: Hub) -> Hub:
    """With something on every page: checks in several states, an incident, an agent, a channel."""
    client = shared_hub.client("admin", "agent", "ingest")
    shared_hub.agent(
        "local", "--ping", "--ping-interval-s", "1", "--location", "São Paulo", "--datacenter", "dc1", "--country", "BR"
    )
    shared_hub.await_agent("local")
    channel = client.post(
        "/api/channels", {"name": "Sink", "kind": "webhook", "url": shared_hub.url, "secret": "s" * 32}
    )
    client.post("/api/routes", {"channel": channel.json["id"], "match": {}})
    base = {"interval_s": 1, "timeout_s": 1, "failures_to_down": 1}
    client.post(
        "/api/checks",
        {**base, "name": "site", "kind": "http", "target": f"{shared_hub.url}/health/live", "labels": {"team": "web"}},
    )
    client.post(
        "/api/checks",
        {**base, "name": "broken", "kind": "http", "target": f"{shared_hub.url}/nowhere", "runbook": "Restart it."},
    )
    long = {"name": f"checkout.{'payments.' * 8}internal", "labels": {"team": "platform-and-reconciliation" * 2}}
    client.post("/api/checks", {**base, **long, "kind": "http", "target": f"{shared_hub.url}/{'nowhere' * 20}"})
    client.post("/api/checks", {"name": "backup", "kind": "heartbeat", "period_s": 3600, "grace_s": 60})
    make_jobs(shared_hub)
    make_signals(shared_hub)
    wait_until(lambda: len(client.items("/api/incidents?state=open")) > 1, what="an incident of each that is broken")
    return shared_hub


FRAME = '{"action":{"name":"get_vehicle_info","parameters":{"client_id":"1","mtkn":"1795350112011078144"},"session_token":"***"}}'
DEPARTED = {
    "action": "get_vehicle_info",
    "frame": FRAME,
    "mtkn": "1795350112011078144",
    "template": {"action": "get_vehicle_info", "variant": "", "version": 0},
    "departures": ['parameters.client_id: captured number 123, would send string "1"'],
    "error": "get_vehicle_info departs from the captured payload",
}


def make_jobs(hub: Hub) -> None:
    """One that departed, one that nobody knows, one that waits; a worker that said which it is."""
    client = hub.client("jobs:create", "jobs:work", "read")
    payload = {"clientId": 1, "clientName": "Zé", "vehicleId": 7, "vehicleSettingId": "91", "comment": "x" * 90}
    for outcome, state in (("failed", "failed"), ("uncertain", "irreversible"), (None, "")):
        client.made("/api/jobs", {"type": "free work", "payload": payload, "max_attempts": 1})
        if outcome is None:
            return
        asked = {"worker_id": "worker-1", "types": ["free work"], "version": "0.1.0", "commit": "c" * 40}
        (job,) = client.made("/api/leases", asked)["jobs"]
        steps = [
            {"n": 1, "name": "connect", "state": "done"},
            {"n": 2, "name": "execute", "state": state, "data": DEPARTED},
        ]
        said = {"token": job["token"], "outcome": outcome, "steps": steps}
        said["error"] = {"class": "payload_departs", "message": "get_vehicle_info departs", "retryable": False}
        assert client.post(f"/api/jobs/{job['id']}/complete", said).status == 200


def make_signals(hub: Hub) -> None:
    """One that was sent, one that waits for its schedule."""
    client = hub.client("admin")
    job = {"type": "free work", "payload": {"a": [1, 2]}}
    client.made("/api/signals", {"name": "look", "task": "job", "job": job, "min_interval_s": 3600})
    client.made("/api/signals", {"name": "nightly", "task": "job", "job": job, "cron": "0 3 * * *"})
    assert [client.post("/api/signals/look", {"source": "vps"}).status for _ in range(2)] == [202, 429]


@pytest.fixture(scope="module")
def addresses(filled_hub: Hub) -> dict[str, str]:
    client = filled_hub.client("admin", "agent", "ingest")
    checks = {check["name"]: check["id"] for check in client.items("/api/checks")}
    jobs = {job["state"]: job["id"] for job in client.items("/api/jobs")}
    return {
        "CHECK": f"/checks/{checks['site']}",
        "HEARTBEAT": f"/checks/{checks['backup']}",
        "INCIDENT": f"/incidents/{client.items('/api/incidents')[0]['id']}",
        **{name: f"/jobs/{jobs[state]}" for name, state in JOB_STATES.items()},
        "SNAPSHOT": f"/snapshots/{Path(filled_hub.cli('snapshot').stdout.strip()).name}",
        "AGENT": f"/agents/{client.items('/api/agents')[0]['id']}",
    }


# Both themes, widths and languages. Widths of texts depend on the language and not on the theme, so that each page, once
# seen, is made as wide as in the other look of its language; axe looks at nothing that these two would show it besides.
FOR_ALL = ("wide-light-en", "narrow-dark-pt")
WIDTHS = {1280: 360, 360: 1280}
_TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


# Some fifty pages, each with its accessibility looked through.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("look", [look for look in LOOKS if look[0] in FOR_ALL], ids=FOR_ALL)
def test_every_page_is_whole_and_can_be_used_by_all(
    look: tuple[str, dict[str, Any]], open_context: OpenContext, filled_hub: Hub, addresses: dict[str, str]
) -> None:
    page = open_context(**look[1]).new_page()
    sign_in(page, filled_hub, ADMIN, PASSWORD)
    found: dict[str, Any] = {}
    for name in PAGES:
        answer = page.goto(filled_hub.url + addresses.get(name, name))
        settle(page)
        status = answer.status if answer else None
        problems = (
            [f"status {status}"]
            if status != 200
            else [*_sticking_out(page), *_axe(page), *_sticking_out_otherwise(page, look[1])]
        )
        if problems:
            found[name] = problems
    assert not found, json.dumps(found, indent=1, ensure_ascii=False)


def _sticking_out_otherwise(page: Page, look: dict[str, Any]) -> list[str]:
    """In the other width; what is drawn by script gets its turn to follow."""
    height = look.get("height", 900)
    page.set_viewport_size({"width": WIDTHS[look["width"]], "height": height})
    page.evaluate(_TWO_FRAMES)
    problems = _sticking_out(page)
    page.set_viewport_size({"width": look["width"], "height": height})
    return [f"made {WIDTHS[look['width']]} px wide: {problem}" for problem in problems]


@pytest.mark.parametrize("look", [look for look in LOOKS if look[0] in FOR_ALL], ids=FOR_ALL)
def test_pages_before_the_sign_in_are_whole_too(
    look: tuple[str, dict[str, Any]], open_context: OpenContext, filled_hub: Hub, complaints: list[str]
) -> None:
    page = open_context(**look[1]).new_page()
    found: dict[str, Any] = {}
    for name, status in (
        ("/sign-in", 200),
        ("/forgot-password", 200),
        ("/first-start?token=used", 410),
        ("/none", 404),
    ):
        answer = page.goto(filled_hub.url + name)
        said = answer.status if answer else None
        problems = [*_sticking_out(page), *_axe(page), *([f"status {said}"] if said != status else [])]
        if problems:
            found[name] = problems
    complaints.clear()  # the browser's own word about 410 and 404
    assert not found, json.dumps(found, indent=1, ensure_ascii=False)


def _sticking_out(page: Page) -> list[str]:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{wide} px wider than the window"] if wide > 0 else []


def _axe(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    # What passes is not told to us: it need not be gathered.
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    result = page.evaluate("options => axe.run(document, options)", options)
    return [f"{violation['id']}: {violation['nodes'][0]['html'][:200]}" for violation in result["violations"]]


def test_a_tab_tells_how_many_incidents_are_open(open_context: OpenContext, filled_hub: Hub) -> None:
    page = open_context().new_page()
    sign_in(page, filled_hub, ADMIN, PASSWORD)
    page.goto(f"{filled_hub.url}/checks")
    expect(page).to_have_title(re.compile(r"^\(\d+\) Checks"))
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("favicon-alarm"))
    expect(page.locator(".side a[href='/incidents']")).to_contain_text(re.compile(r"\d+ open"))
    narrow = open_context(width=360, height=740).new_page()
    sign_in(narrow, filled_hub, ADMIN, PASSWORD)
    narrow.goto(f"{filled_hub.url}/checks")
    expect(narrow.locator("body[data-alarm] .side-open")).to_be_visible()


FINGER_PX = 40
# Links among words are as high as their line (WCAG 2.2, 2.5.8); a box to tick has its label to press.
LOW = """floor => [...document.querySelectorAll("a, button, summary, select, input:not([type=hidden])")].filter(e => {
  const box = e.getBoundingClientRect();
  const isSeen = box.width > 4 && box.height > 4;
  return isSeen && box.height < floor && !e.closest("p, dd, td, h2, .cells, .skip, .check, .choice, .filter-select, .search");
}).map(e => `${Math.round(e.getBoundingClientRect().height)} px: ${e.outerHTML.slice(0, 120)}`)"""


@pytest.mark.parametrize(
    "name", ["/", "/checks", "/incidents", "INCIDENT", "CHECK", "/jobs", "/signals/look", "/account"]
)
def test_what_is_pressed_has_the_size_of_a_finger(
    name: str, open_context: OpenContext, filled_hub: Hub, addresses: dict[str, str]
) -> None:
    page = open_context(width=360, height=740).new_page()
    sign_in(page, filled_hub, ADMIN, PASSWORD)
    page.goto(filled_hub.url + addresses.get(name, name))
    page.wait_for_load_state()
    assert page.evaluate(LOW, FINGER_PX) == []


# The second of two keys has 1.5 s to come; here it may be later, and it is the page's clock that stands still.
STILL = "() => { const now = performance.now(); performance.now = () => now; }"


def test_the_keyboard_leads_everywhere(open_context: OpenContext, filled_hub: Hub) -> None:
    page = open_context().new_page()
    sign_in(page, filled_hub, ADMIN, PASSWORD)
    page.goto(f"{filled_hub.url}/")
    page.keyboard.press("/")
    expect(page.locator("input[name=q]").first).to_be_focused()
    page.keyboard.type("site")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=site")
    page.evaluate(STILL)
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/checks")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/checks/*")
    page.keyboard.press("?")
    expect(page.locator("dialog#keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog#keyboard")).to_be_hidden()
    page.goto(f"{filled_hub.url}/incidents")
    page.keyboard.press("Tab")
    expect(page.locator("a.skip")).to_be_focused()


def test_a_page_says_when_its_line_to_the_hub_is_cut(
    open_context: OpenContext, filled_hub: Hub, complaints: list[str]
) -> None:
    context = open_context()
    page = context.new_page()
    sign_in(page, filled_hub, ADMIN, PASSWORD)
    page.goto(f"{filled_hub.url}/")
    live = page.locator("[data-live-state]").first
    expect(live).to_contain_text("Online", timeout=60_000)
    context.set_offline(True)
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(live).not_to_contain_text("Online", timeout=60_000)
    # What was well then need not be well now: the page says so, and no colour says otherwise.
    expect(page.locator("#line-lost")).to_contain_text("The hub has not answered since", timeout=60_000)
    expect(page.locator(".verdict")).to_have_css("filter", "grayscale(1)")
    context.set_offline(False)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(live).to_contain_text("Online", timeout=60_000)
    expect(page.locator("#line-lost")).to_be_hidden()
    complaints.clear()  # the browser's own words about the cut
