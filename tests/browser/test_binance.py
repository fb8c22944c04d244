"""Auto-close in the browser: a real hub, the simulated exchange, a signaller; what a trader sees while prices move."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.hub import ADMIN, PASSWORD
from tests.acceptance.trading import API, Trading, trading
from tests.browser.conftest import OpenContext, press_and_agree, settle, sign_in
from tests.browser.test_pages import FOR_ALL, LOOKS, _axe, _sticking_out, _sticking_out_otherwise

LIVE_MS = 60_000
_ONE = re.compile(r"/binance/operations/[0-9a-f-]{36}$")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trading]:
    with trading(tmp_path_factory.mktemp("trading")) as house:
        house.hub.make_admin()
        yield house


@pytest.fixture(autouse=True)
def calm(house: Trading) -> Iterator[None]:
    """What a test leaves is nobody else's: operations are given up."""
    yield
    for operation in house.client.items(f"{API}/operations"):
        house.client.request("DELETE", f"{API}/operations/{operation['id']}")


@pytest.fixture
def page(open_context: OpenContext, house: Trading) -> Page:
    page = open_context(locale="pt-BR").new_page()
    sign_in(page, house.hub, ADMIN, PASSWORD)
    return page


def test_an_operation_goes_to_its_target_and_is_seen_closed_without_a_reload(page: Page, house: Trading) -> None:
    house.price(BTCUSDT="60000")
    house.hold("BTCUSDT", long="60000", short="60000", quantity="0.200", short_quantity="0.100")
    page.goto(f"{house.hub.url}/binance")
    page.click("text=Nova operação")
    page.select_option("[name=account]", "main")
    for name, value in (("symbol", "btcusdt"), ("name", "Grade de novembro"), ("profit_target", "12,50")):
        page.fill(f"[name={name}]", value)
    page.click("main form.form button[type=submit]")
    page.wait_for_url(_ONE)
    verdict = page.locator(".verdict-text")
    expect(verdict).to_contain_text("Em execução")
    page.evaluate("window.isTheSamePage = true")
    with house.signaller():
        # Nothing is won yet, and 9.00 are to be paid: 0.05 % of 0.3 BTC.
        expect(verdict).to_contain_text("Prejuízo −9,00", timeout=LIVE_MS)
        house.price(BTCUSDT="60100")
        expect(verdict).to_contain_text("Lucro +0,98", timeout=LIVE_MS)
        expect(page.locator(".verdict-detail")).to_contain_text("para o alvo de 12,50")
        house.price_path("BTCUSDT", (0.5, "60200"), (1, "60300"))
        expect(verdict).to_contain_text("Fechada com +20,96", timeout=LIVE_MS)
    expect(page.locator(".verdict-detail")).to_contain_text("Alvo atingido")
    expect(page.locator("#operation-more")).to_contain_text("As duas pernas estão fechadas")
    assert page.evaluate("window.isTheSamePage") is True
    page.click("text=Ver o histórico")
    row = page.locator("tr", has_text="Grade de novembro")
    expect(row).to_contain_text("+20,96")
    expect(row).to_contain_text("Alvo atingido")
    with page.expect_download() as download:
        page.click("text=Exportar CSV")
    assert "Grade de novembro" in download.value.path().read_text(encoding="utf-8-sig")


def test_the_list_shows_the_worst_first_and_lives(page: Page, house: Trading) -> None:
    house.price(SOLUSDT="150", ADAUSDT="0.45")
    house.hold("SOLUSDT", long="149", short="150", quantity="10")
    house.hold("ADAUSDT", long="0.46", short="0.45", quantity="1000")
    house.operation("SOLUSDT", "900", name="Boa")
    house.operation("ADAUSDT", "900", name="Ruim")
    page.goto(f"{house.hub.url}/binance")
    with house.signaller():
        names = page.locator("#rows .row-link")
        expect(page.locator("#rows")).to_contain_text("Prejuízo", timeout=LIVE_MS)
        expect(names).to_have_text(["Ruim", "Boa"], timeout=LIVE_MS)
        house.hold("ADAUSDT", long="0.40", short="0.45", quantity="1000")
        house.hold("SOLUSDT", long="155", short="150", quantity="10")
        expect(names).to_have_text(["Boa", "Ruim"], timeout=LIVE_MS)
    page.click("#rows .counts a:has-text('Lucro')")
    expect(page.locator("#rows .row-link")).to_have_text(["Ruim"])


def test_of_a_close_by_half_the_page_says_what_is_closed_and_what_to_do(page: Page, house: Trading) -> None:
    house.price(DOGEUSDT="0.15")
    house.hold("DOGEUSDT", long="0.14", short="0.15", quantity="1000")
    id_ = house.operation("DOGEUSDT", "900")
    page.goto(f"{house.hub.url}/binance/operations/{id_}")
    house.simulator.post("/_sim/faults", {"refuse_leg": {"value": "SHORT", "only": {"symbol": "DOGEUSDT"}}})
    try:
        press_and_agree(page.locator("text=Fechar agora"))
        expect(page.locator(".verdict-text")).to_contain_text("Fechada pela metade", timeout=LIVE_MS)
        expect(page.locator(".banner.danger").last).to_contain_text("Uma perna está fechada, a outra continua aberta.")
        legs = page.locator("#operation-now .table tbody tr")
        expect(legs.filter(has_text="LONG")).to_contain_text("toda fechada")
        expect(legs.filter(has_text="SHORT")).to_contain_text("1.000 ainda não fechado")
        assert page.locator("button:has-text('Fechar agora')").count() == 0
    finally:
        house.simulator.post("/_sim/faults", {})
    expect(page.locator(".verdict-text")).to_contain_text("Fechada com", timeout=LIVE_MS)


def test_a_refused_key_says_why_and_keeps_what_was_typed_but_the_secret(
    page: Page, house: Trading, complaints: list[str]
) -> None:
    account = {"api_key": "withdrawing-key", "api_secret": "its-secret"}
    house.simulator.post("/_sim/accounts", {**account, "can_withdraw": True})
    page.goto(f"{house.hub.url}/binance/accounts")
    for name, value in {"name": "Rica", **account}.items():
        page.fill(f"#new [name={name}]", value)
    page.click("text=Verificar e guardar")
    expect(page.locator(".field.invalid .error")).to_contain_text("permite saques")
    expect(page.locator("#new [name=name]")).to_have_value("Rica")
    expect(page.locator("#new [name=api_secret]")).to_have_value("")
    assert "its-secret" not in page.content()
    complaints.clear()  # the browser's own word about 422


def test_panic_wants_a_word_that_is_typed(page: Page, house: Trading, complaints: list[str]) -> None:
    house.price(LTCUSDT="80")
    house.hold("LTCUSDT", long="80", short="80")
    id_ = house.operation("LTCUSDT", "900", auto_close_enabled=False)
    page.goto(f"{house.hub.url}/binance")
    page.click("text=Pânico…")
    page.fill("[name=word]", "sim")
    page.click("main form.form button[type=submit]")
    expect(page.locator(".field.invalid .error")).to_contain_text("Nada foi fechado")
    complaints.clear()  # the browser's own word about 422
    assert house.one(id_)["wanted"] is None
    page.fill("[name=word]", "fechar tudo")
    page.click("main form.form button[type=submit]")
    page.wait_for_url("**/binance")
    expect(page.locator("#rows")).to_contain_text("Nenhuma operação aberta", timeout=LIVE_MS)
    assert house.one(id_)["reason"] == "panic"


@pytest.fixture
def addresses(house: Trading) -> dict[str, str]:
    """One in each state, and something in the history."""
    house.price(XRPUSDT="0.6", AVAXUSDT="30", BNBUSDT="600", LINKUSDT="15", DOTUSDT="6")
    for symbol, long, short in (("XRPUSDT", "0.5", "0.6"), ("AVAXUSDT", "31", "30"), ("DOTUSDT", "5", "6")):
        house.hold(symbol, long=long, short=short, quantity="10")
    wishes: dict[str, Any] = {"stop_loss": "900", "trailing": "5"}
    ids = {
        "PROFIT": house.operation(
            "XRPUSDT", "900", name="Uma operação de nome bem comprido, para ver se cabe", **wishes
        ),
        "LOSS": house.operation("AVAXUSDT", "900", gross=True),
        "STOPPED": house.operation("BNBUSDT", "900", auto_close_enabled=False),
        "DRY": house.operation("LINKUSDT", "1", dry_run=True),
        "CLOSED": house.operation("DOTUSDT", "1"),
    }
    house.look_until(ids["CLOSED"], state="closed")
    house.look_until(ids["LOSS"], standing="loss")
    return {name: f"/binance/operations/{id_}" for name, id_ in ids.items()}


PAGES = (
    "/binance",
    "/binance?state=profit",
    "PROFIT",
    "LOSS",
    "STOPPED",
    "DRY",
    "CLOSED",
    "PROFIT/edit",
    "/binance/operations/new",
    "/binance/history",
    "/binance/history?by=symbol&since=2001-01-01&until=nonsense",
    "/binance/history?by=account&symbol=NOTHING",
    "/binance/accounts",
    "/binance/panic",
)


@pytest.mark.parametrize("look", [look for look in LOOKS if look[0] in FOR_ALL], ids=FOR_ALL)
def test_every_page_is_whole_and_can_be_used_by_all(
    look: tuple[str, dict[str, Any]], open_context: OpenContext, house: Trading, addresses: dict[str, str]
) -> None:
    page = open_context(**look[1]).new_page()
    sign_in(page, house.hub, ADMIN, PASSWORD)
    found: dict[str, Any] = {}
    for name in PAGES:
        key, slash, rest = name.partition("/")
        answer = page.goto(house.hub.url + addresses.get(key, key) + slash + rest)
        settle(page)
        status = answer.status if answer else None
        problems = [*_sticking_out(page), *_axe(page), *_sticking_out_otherwise(page, look[1])]
        if problems or status != 200:
            found[name] = [status, *problems]
    assert not found, json.dumps(found, indent=1, ensure_ascii=False)
