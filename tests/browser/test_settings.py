"""Settings in the browser: what may be empty can be left so, and a secret is set without being shown."""

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.hub import ADMIN, PASSWORD, Hub
from tests.browser.conftest import TOASTS_STAY, OpenContext, sign_in

SECTION = '[id="integrations.traffilog"]'


@pytest.fixture
def page(open_context: OpenContext, shared_hub: Hub) -> Page:
    page = open_context().new_page()
    page.add_init_script(TOASTS_STAY)
    sign_in(page, shared_hub, ADMIN, PASSWORD)
    return page


def test_a_section_with_empty_fields_is_saved_and_a_secret_is_not_shown(page: Page, shared_hub: Hub) -> None:
    page.goto(f"{shared_hub.url}/settings")
    field, secret = '[name="integrations.traffilog.login_name"]', '[name="integrations.traffilog.password"]'
    page.fill(f"{SECTION} {field}", "someone")
    page.fill(f"{SECTION} {secret}", "a password that nobody sees")
    page.click(f"{SECTION} button:has-text('Save')")
    expect(page.locator("#toasts")).to_contain_text("Saved.")
    expect(page.locator(SECTION).get_by_label("Login name")).to_have_value("someone")  # its title, not its key
    page.reload()  # at most 5 s later all hubs have it; this one at once
    expect(page.locator(f"{SECTION} {field}")).to_have_value("someone")
    expect(page.locator(f"{SECTION} {secret}")).to_have_value("")
    expect(page.locator(f"{SECTION} {secret}")).to_have_attribute("placeholder", "set, and shown to nobody")
    assert "a password that nobody sees" not in page.content()
