"""What can't be taken back asks first, in a dialog of the page: it says what will happen, and going back is safe."""

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.hub import ADMIN, PASSWORD, Hub
from tests.browser.conftest import OpenContext, press_and_agree, sign_in
from tests.browser.test_charging import violations

NAME = "Loja on-line"
QUESTION = f"Excluir {NAME}?"


@pytest.fixture
def page(open_context: OpenContext, shared_hub: Hub) -> Page:
    page = open_context(width=360, locale="pt-BR").new_page()
    sign_in(page, shared_hub, ADMIN, PASSWORD)
    made = shared_hub.client("admin").post(
        "/api/checks", {"name": NAME, "kind": "heartbeat", "period_s": 3600, "grace_s": 60}
    )
    assert made.status == 201, made.text
    page.goto(f"{shared_hub.url}/checks/{made.json['id']}")
    return page


def test_going_back_changes_nothing_and_agreeing_does_it(page: Page) -> None:
    here = page.url
    button = page.get_by_role("button", name="Excluir")
    dialog = page.get_by_role("dialog", name=QUESTION)
    for leave in ("Escape", "Enter"):  # the focus is on "go back": who types on has changed nothing
        button.click()
        expect(dialog.get_by_role("button", name="Voltar")).to_be_focused()
        expect(dialog).to_contain_text("As medições ficam")
        assert violations(page) == []
        page.keyboard.press(leave)
        expect(dialog).to_have_count(0)
        expect(button).to_be_focused()
    assert page.url == here
    press_and_agree(button)
    page.wait_for_url("**/checks")
    expect(page.locator("main")).not_to_contain_text(NAME)
