"""Access as a browser meets it: forms, cookies, proofs, addresses to go on to."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pyotp
import pytest

from atalaia.core.permissions import Role
from tests.contract.access_site import PASSWORD, Browser, Site, make_site
from tests.fakes import FakeClock

EMAIL = "ana@example.com"


@pytest.fixture
def site(tmp_path: Path, clock: FakeClock) -> Iterator[Site]:
    made = make_site(tmp_path, clock)
    yield made
    made.store.close()


@pytest.fixture
def secure_site(tmp_path: Path, clock: FakeClock) -> Iterator[Site]:
    made = make_site(tmp_path, clock, base_url="https://hub.example")
    yield made
    made.store.close()


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def call() -> None:
        await work()

    asyncio.run(call())


def test_the_first_start_leads_from_the_printed_address_to_the_next_steps(site: Site) -> None:
    async def start() -> None:
        address = await site.access.first_start_address()
        assert address is not None
        browser = site.browser()
        path = address.removeprefix(site.base_url)
        assert (await browser.get(path)).status_code == 200
        token = path.partition("token=")[2]
        weak = await browser.post("/first-start", {"token": token, "email": EMAIL, "password": "short", "name": "Ana"})
        assert weak.status_code == 422
        assert "at least 10 characters" in weak.text
        assert "short" not in weak.text
        done = await browser.post("/first-start", {"token": token, "email": EMAIL, "password": PASSWORD, "name": "Ana"})
        assert (done.status_code, done.headers["location"]) == (303, "/welcome")
        welcome = await browser.get("/welcome")
        assert "/checks/new" in welcome.text
        assert "/agents" in welcome.text
        assert await site.access.first_start_address() is None
        assert (await site.browser().get(path)).status_code == 410

    run(start)


def test_nobody_is_sent_to_sign_in_and_afterwards_back(site: Site) -> None:
    site.add(EMAIL)

    async def visit() -> None:
        browser = site.browser()
        away = await browser.get("/keys?cursor=")
        assert away.status_code == 303
        assert away.headers["location"] == "/sign-in?next=%2Fkeys%3Fcursor%3D"
        page = await browser.get(away.headers["location"])
        assert 'name="next" value="/keys?cursor="' in page.text
        back = await browser.sign_in(EMAIL, "/keys?cursor=")
        assert (back.status_code, back.headers["location"]) == (303, "/keys?cursor=")
        assert (await browser.get("/keys")).status_code == 200

    run(visit)


@pytest.mark.parametrize("evil", ["//evil.example", "https://evil.example/", "/\\evil.example", "/\t/evil.example"])
def test_signing_in_never_leads_elsewhere(site: Site, evil: str) -> None:
    site.add(EMAIL)

    async def visit() -> None:
        assert (await site.browser().sign_in(EMAIL, evil)).headers["location"] == "/"

    run(visit)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.COLLABORATOR, Role.CLIENT])
def test_who_signs_in_begins_at_the_beginning_whatever_the_role(site: Site, role: Role) -> None:
    """Which sends on whoever may not see the overview, as a resident to the own charging."""

    async def visit() -> None:
        site.add("bia@example.com", role)
        assert (await site.browser().sign_in("bia@example.com")).headers["location"] == "/"

    run(visit)


def test_who_may_not_open_a_page_reads_so_in_words_and_who_can_help(site: Site) -> None:
    async def visit() -> None:
        site.add("bia@example.com", Role.CLIENT)
        browser = site.browser()
        await browser.sign_in("bia@example.com")
        answer = await browser.client.get("/people?lang=en", headers={"accept": "text/html"})
        assert answer.status_code == 403
        assert "<h1>You may not do this</h1>" in answer.text
        assert "Ask an administrator" in answer.text

    run(visit)


def test_a_wrong_password_shows_the_form_again_with_the_address_and_without_the_password(site: Site) -> None:
    site.add(EMAIL)

    async def visit() -> None:
        browser = site.browser()
        await browser.get("/sign-in")
        answer = await browser.post("/sign-in", {"email": EMAIL, "password": "wrong-canary"})
        assert answer.status_code == 401
        assert EMAIL in answer.text
        assert "wrong-canary" not in answer.text

    run(visit)


def test_too_many_tries_are_answered_429_with_the_time_to_wait(site: Site) -> None:
    site.add(EMAIL)

    async def visit() -> None:
        browser = site.browser()
        await browser.get("/sign-in")
        for _ in range(4):
            await browser.post("/sign-in", {"email": EMAIL, "password": "wrong password"})
        answer = await browser.post("/sign-in", {"email": EMAIL, "password": PASSWORD})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")

    run(visit)


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/code", "/forgot-password", "/first-start", "/choose-password"])
def test_a_form_without_its_proof_is_refused_before_sign_in_too(site: Site, path: str) -> None:
    site.add(EMAIL)

    async def visit() -> None:
        browser = site.browser()
        assert (await browser.post(path, {"email": EMAIL, "password": PASSWORD})).status_code == 403
        await browser.get("/sign-in")
        stolen = await browser.post(path, {"email": EMAIL, "password": PASSWORD, "csrf_token": "A" * 64})
        assert stolen.status_code == 403

    run(visit)


def test_a_proof_of_before_sign_in_and_of_another_session_is_worth_nothing(site: Site) -> None:
    site.add(EMAIL)

    async def visit() -> None:
        mine, other = site.browser(), site.browser()
        await mine.sign_in(EMAIL)
        await other.sign_in(EMAIL)
        old = await mine.post("/keys", {"name": "x", "scopes": "read"})
        assert old.status_code == 403
        await other.get("/account")
        mine._page = other._page
        assert (await mine.post("/account/sessions/end-others")).status_code == 403
        await mine.get("/account")
        assert (await mine.post("/account/sessions/end-others")).status_code == 303
        assert (await other.get("/account")).status_code == 303

    run(visit)


def test_the_proof_may_come_as_a_header_and_json_needs_it_too(site: Site) -> None:
    site.add(EMAIL)

    async def visit() -> None:
        browser = site.browser()
        await browser.sign_in(EMAIL)
        body = {"name": "x", "scopes": ["read"]}
        assert (await browser.client.post("/api/keys", json=body)).status_code == 403
        page = (await browser.get("/account")).text
        proof = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert proof
        made = await browser.client.post("/api/keys", json=body, headers={"x-csrf-token": proof[1]})
        assert made.status_code == 201

    run(visit)


def test_cookies_are_for_this_host_alone_where_there_is_tls(secure_site: Site) -> None:
    secure_site.add(EMAIL)

    async def visit() -> None:
        browser = secure_site.browser()
        first = await browser.get("/sign-in")
        entered = await browser.sign_in(EMAIL)
        cookies = [value for answer in (first, entered) for value in answer.headers.get_list("set-cookie")]
        names = {cookie.partition("=")[0] for cookie in cookies}
        assert {"__Host-atalaia_session", "__Host-atalaia_visit", "__Host-atalaia_device"} <= names
        for cookie in cookies:
            assert cookie.startswith("__Host-atalaia_")
            for word in ("HttpOnly", "SameSite=lax", "Secure", "Path=/"):
                assert word.lower() in cookie.lower()
            assert "domain" not in cookie.lower()

    run(visit)


def test_without_tls_cookies_still_hide_from_scripts(site: Site) -> None:
    site.add(EMAIL)

    async def visit() -> None:
        entered = await site.browser().sign_in(EMAIL)
        for cookie in entered.headers.get_list("set-cookie"):
            assert "httponly" in cookie.lower()
            assert "secure" not in cookie.lower()

    run(visit)


def test_a_session_planted_beforehand_is_not_taken_over(site: Site) -> None:
    site.add(EMAIL)

    async def visit() -> None:
        browser = site.browser()
        browser.client.cookies.set("atalaia_session", "planted", domain="hub.example")
        await browser.sign_in(EMAIL)
        tokens = [c.value for c in browser.client.cookies.jar if c.name == "atalaia_session"]
        assert "planted" not in tokens
        assert (await browser.get("/account")).status_code == 200

    run(visit)


def test_signing_out_needs_a_proof_and_ends_the_session(site: Site) -> None:
    site.add(EMAIL)

    async def visit() -> None:
        browser = site.browser()
        await browser.sign_in(EMAIL)
        session = next(c.value for c in browser.client.cookies.jar if c.name == "atalaia_session")
        assert (await browser.client.get("/sign-out")).status_code == 405
        await browser.get("/account")
        assert (await browser.post("/sign-out")).headers["location"] == "/sign-in"
        browser.client.cookies.set("atalaia_session", session or "", domain="hub.example")
        assert (await browser.get("/account")).status_code == 303

    run(visit)


async def enrol(site: Site, browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    await browser.get("/account")
    assert (await browser.post("/account/second-factor")).headers["location"] == "/account/second-factor"
    page = await browser.get("/account/second-factor")
    assert "data:image/svg+xml" in page.text
    secret = re.search(r'value="([A-Z2-7]{32})"', page.text)
    assert secret
    otp = pyotp.TOTP(secret[1])
    wrong = await browser.post("/account/second-factor/confirm", {"code": "000000"})
    assert wrong.status_code == 422
    right = await browser.post("/account/second-factor/confirm", {"code": otp.at(site.clock.now())})
    assert right.headers["cache-control"] == "no-store"
    return otp, re.findall(r"\b[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}\b", right.text)


def test_the_second_factor_from_qr_code_to_sign_in(site: Site) -> None:
    site.add(EMAIL)

    async def visit() -> None:
        browser = site.browser()
        await browser.sign_in(EMAIL)
        otp, codes = await enrol(site, browser)
        assert len(set(codes)) == 10
        site.clock.advance(60)
        other = site.browser()
        first = await other.sign_in(EMAIL, "/keys")
        assert first.headers["location"] == "/sign-in/code?next=/keys"
        assert (await other.get("/keys")).status_code == 303
        await other.get("/sign-in/code?next=/keys")
        assert (await other.post("/sign-in/code", {"code": "000000", "next": "/keys"})).status_code == 401
        entered = await other.post("/sign-in/code", {"code": otp.at(site.clock.now()), "next": "/keys"})
        assert (entered.status_code, entered.headers["location"]) == (303, "/keys")
        assert (await other.get("/keys")).status_code == 200

    run(visit)
