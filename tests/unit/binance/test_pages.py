"""What pages of auto-close make of numbers, days and events. Pure."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from atalaia.core.clock import to_ms
from atalaia.core.errors import InvalidField
from atalaia.core.translations import Locale
from atalaia.integrations.binance import pages
from atalaia.integrations.binance.charts import stepped
from atalaia.integrations.binance.filters import read_filter
from atalaia.integrations.binance.model.deciding import Reason, Undecided, Wishes
from atalaia.integrations.binance.model.legs import IntentState
from atalaia.integrations.binance.model.operations import Operation, OperationEvent, Point, Standing, Watched
from atalaia.integrations.binance.model.states import State
from atalaia.integrations.binance.model.verdicts import Verdict, distance_of, ratio_of, verdict_of
from atalaia.integrations.binance.operations import Shown
from atalaia.integrations.binance.pages import listing
from atalaia.integrations.binance.pages.events import _TITLES, happening_of
from atalaia.integrations.binance.pages.figures import amount, exact, percent, signed
from atalaia.integrations.binance.pages.rows import row_of
from atalaia.integrations.binance.pages.typed import typed_number
from atalaia.integrations.binance.pages.words import ORDERS, REASONS, UNDECIDED, VERDICTS

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)


def watched(value: str | None = None, **operation: Any) -> Watched:
    base: dict[str, Any] = {"auto_close_enabled": True, "dry_run": False, **operation}
    wishes = Wishes(profit_target=Decimal(50))
    made = Operation(
        id="o", account_id="a", symbol="BTCUSDT", name="o", wishes=wishes, opened_at=T0, updated_at=T0, **base
    )
    return Watched(operation=made, standing=Standing(current_pnl=None if value is None else Decimal(value), at=T0))


def event(kind: str, data: dict[str, Any]) -> OperationEvent:
    return OperationEvent(id="1", at=T0, kind=kind, data=data)


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (watched("1"), Verdict.PROFIT),
        (watched("-0.01"), Verdict.LOSS),
        (watched("0"), Verdict.RUNNING),
        (watched(), Verdict.RUNNING),
        (watched("1", auto_close_enabled=False), Verdict.STOPPED),
        (watched("1", wanted=Reason.BY_HAND, auto_close_enabled=False), Verdict.CLOSING),
        (watched("1", state=State.CLOSING), Verdict.CLOSING),
        (watched("1", state=State.PARTIALLY_CLOSED), Verdict.HALF_CLOSED),
    ],
)
def test_an_operation_stands_in_one_word(given: Watched, verdict: Verdict) -> None:
    assert verdict_of(given) is verdict


def test_what_is_missing_to_the_target_and_what_it_is_of_what_the_legs_cost() -> None:
    assert distance_of(watched("12.5")) == Decimal("37.5")
    assert distance_of(watched()) is None
    assert ratio_of(Decimal(5), Decimal(400)) == Decimal("0.0125")
    assert ratio_of(Decimal(5), Decimal(0)) is None


def test_every_key_has_its_word() -> None:
    assert set(VERDICTS) == set(Verdict)
    assert set(REASONS) == set(Reason)
    assert set(UNDECIDED) == set(Undecided)
    assert set(ORDERS) == set(IntentState)


def test_every_kind_of_event_that_the_engine_writes_has_a_title() -> None:
    """One without would be shown as a key."""
    folder = Path(pages.__file__).parent.parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    written = set(re.findall(r"(?:_tell|note)\(tx, (?:each\.)?\w+, \"(\w+)\"", source))
    written |= set(re.findall(r"IntentState\.\w+: \"(\w+)\"", source))
    assert len(written) > 10
    assert written - set(_TITLES) == set()


@pytest.mark.parametrize(
    ("value", "locale", "text", "sign"),
    [
        ("1234.5", "en", "+1,234.50", "up"),
        ("-1234.567", "pt-BR", "−1.234,57", "down"),
        ("0", "en", "0.00", "flat"),
        ("-0.00512", "en", "−0.00512", "down"),
    ],
)
def test_a_result_has_its_sign_and_every_digit_that_counts(value: str, locale: Locale, text: str, sign: str) -> None:
    figure = signed(Decimal(value), locale)
    assert (figure.text, figure.sign, figure.exact) == (text, sign, value)


def test_money_that_a_float_would_round_is_exact() -> None:
    assert exact(Decimal("12345678901234.12345678"), "en") == "12,345,678,901,234.12345678"
    assert amount(Decimal("-0.1"), "en") == "−0.10"
    assert percent(Decimal("-0.012345"), "pt-BR") == "−1,23%"
    assert signed(None, "en").text == percent(None, "en") == "–"


@pytest.mark.parametrize(
    ("text", "locale", "read"),
    [("12,5", "pt-BR", "12.5"), ("12.5", "en", "12.5"), (" 1 234,50", "pt-BR", "1234.50"), ("1,234", "pt-BR", "1.234")],
)
def test_a_number_is_read_as_its_reader_writes_it(text: str, locale: Locale, read: str) -> None:
    assert typed_number(text, "profit_target", locale=locale) == read


@pytest.mark.parametrize(
    ("text", "locale"),
    [("1.234", "pt-BR"), ("1,234", "en"), ("1.234,50", "pt-BR"), ("1e3", "en"), ("", "en"), ("-5", "en")],
)
def test_a_number_that_may_mean_two_things_is_asked_again(text: str, locale: Locale) -> None:
    with pytest.raises(InvalidField) as caught:
        typed_number(text, "profit_target", locale=locale)
    assert caught.value.field == "profit_target"


def test_a_day_of_the_history_is_one_of_the_readers_zone() -> None:
    found = read_filter({"day": "2026-01-31"}, zone=ZoneInfo("America/Sao_Paulo"))
    assert found.since == datetime(2026, 1, 31, 3, tzinfo=UTC)
    assert found.until == datetime(2026, 2, 1, 3, tzinfo=UTC)


def test_a_value_of_the_chart_holds_until_the_next_one() -> None:
    """Only changes are kept: without this a steady result would be a gap."""
    points = [Point(T0, Decimal(1)), Point(T0 + timedelta(seconds=90), Decimal(2))]
    reach = (to_ms(T0), to_ms(T0) + 600_000)
    times, values = stepped(points, reach, until=T0 + timedelta(seconds=120), step_ms=30_000)
    assert values == ["1", "1", "1", "2", "2"]
    assert [(time - to_ms(T0)) // 1000 for time in times] == [0, 30, 60, 90, 120]
    assert stepped([], reach, until=T0, step_ms=30_000) == ([], [])


def test_an_event_says_who_why_and_with_what() -> None:
    data = {"by": "Ana", "reason": "by_hand"}
    wanted = happening_of(event("close_wanted", data), "en")
    assert (wanted.who, wanted.reason, wanted.facts) == ("Ana", REASONS[Reason.BY_HAND], [])
    order = {"side": "LONG", "executed": "0.0100", "average_price": "60000.5", "failure": "gone"}
    done = happening_of(event("order_done", order), "pt-BR")
    assert done.params == {"side": "LONG"}
    assert done.failures == ["gone"]
    assert [fact.value for fact in done.facts] == ["0,01", "60.000,5"]


def test_of_one_that_was_entered_only_what_is_out_of_the_ordinary_is_told() -> None:
    data = {
        "by": "Ana",
        "profit_target": "5",
        "stop_loss": None,
        "gross": True,
        "auto_close_enabled": True,
        "dry_run": False,
    }
    facts = happening_of(event("created", data), "en").facts
    assert [(fact.label, fact.value) for fact in facts] == [("Profit target", "5.00"), ("Decides at gross", "yes")]


def test_the_list_comes_page_by_page_and_each_operation_once() -> None:
    every = [watched(str(n % 7 - 3)) for n in range(230)]
    shown = [
        Shown(watched=replace(each, operation=replace(each.operation, id=f"o-{n:03}")), account="main")
        for n, each in enumerate(every)
    ]
    rows = sorted((row_of(each, "en") for each in shown), key=listing._place)
    seen, cursor = [], ""
    for size in (100, 100, 30):
        page, following = listing._page(rows, cursor)
        assert len(page) == size
        seen += page
        cursor = following or ""
    assert seen == rows
    assert cursor == ""


@pytest.mark.parametrize("cursor", ["", "_", "1_2", "x_1_o", "1_NaN_o", "1_sNaN_o", "1_1e9999999999999999999_o", "\0"])
def test_what_is_no_place_in_the_list_is_its_beginning(cursor: str) -> None:
    rows = [row_of(Shown(watched=watched("-1"), account="main"), "en")]
    assert listing._page(rows, cursor) == (rows, None)
