"""A person makes a WhatsApp channel by its form, tries it, and reads in Portuguese what came of it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from atalaia_simulators.evolution import DEFAULT_INSTANCE, DEFAULT_KEY, InThread
from tests.acceptance.hub import ADMIN, PASSWORD, Hub
from tests.browser.conftest import OpenContext, sign_in
from tests.browser.test_charging import violations
from tests.unit.simulators.evolution.phone import Phone

NUMBER = "5511912345678"


@pytest.fixture
def phone() -> Iterator[Phone]:
    simulator = InThread()
    simulator.start()
    yield Phone(simulator.url)
    simulator.close()


@pytest.fixture
def hub(tmp_path_factory: pytest.TempPathFactory, phone: Phone) -> Iterator[Hub]:
    env = {
        "ATALAIA_EVOLUTION_BASE_URL": phone.url,
        "ATALAIA_EVOLUTION_API_KEY": DEFAULT_KEY,
        "ATALAIA_EVOLUTION_INSTANCE": DEFAULT_INSTANCE,
    }
    hub = Hub(tmp_path_factory.mktemp("whatsapp"), env=env)
    try:
        hub.start()
        hub.make_admin()
        yield hub
    finally:
        hub.close()


def test_a_channel_is_made_tried_and_says_why_it_can_not_send(
    hub: Hub, phone: Phone, open_context: OpenContext, complaints: list[str]
) -> None:
    page = open_context(width=360, locale="pt-BR").new_page()
    sign_in(page, hub, ADMIN, PASSWORD)
    page.goto(f"{hub.url}/channels/new")
    page.fill("input[name=name]", "plantão")
    page.check("input[name=kind][value=whatsapp]", force=True)
    numbers = page.locator("textarea[name$=numbers]:visible")
    numbers.fill("91234")
    page.click("main form button[type=submit]:has-text('Salvar')")
    expect(page.locator("textarea[name$=numbers]:visible")).to_have_value("91234")
    expect(page.locator("main .error").first).to_be_visible()
    complaints.clear()  # the browser writes down that a form was refused
    assert violations(page) == []
    page.locator("textarea[name$=numbers]:visible").fill("+55 (11) 91234-5678")
    page.click("main form button[type=submit]:has-text('Salvar')")
    page.wait_for_url(f"{hub.url}/channels/*")
    expect(page.locator("main")).to_contain_text(f"+{NUMBER}")
    page.get_by_role("button", name="Enviar um teste").click()
    expect(page.locator(".banner.success")).to_contain_text("201")
    assert [(each["number"], each["text"].splitlines()[0]) for each in phone.messages()] == [
        (NUMBER, "Mensagem de teste do Atalaia")
    ]
    phone.faults(state="close")
    page.get_by_role("button", name="Enviar um teste").click()
    banner = page.locator("main .banner.danger", has_text="não chegou")
    expect(banner).to_be_visible()
    expect(banner).to_contain_text("WhatsApp")
    expect(banner).not_to_contain_text("is not connected")
    assert len(phone.messages()) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert violations(page) == []
