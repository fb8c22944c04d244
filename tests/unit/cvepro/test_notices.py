"""A notice has the words that somebody wrote for it, checked when they were written; and keeps the quiet hours."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.core.errors import InvalidField
from atalaia.core.translations import LOCALES, Locale
from atalaia.integrations.cvepro.model.notice_values import example
from atalaia.integrations.cvepro.model.notices import (
    BUILT_IN,
    LONGEST,
    OPT_OUT,
    SUBJECTS,
    VARIABLES,
    NoticeKind,
    QuietHours,
    is_interrupted,
    quiet_hours,
    read_template,
    reason_words,
    render,
)

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
NEW_YORK = ZoneInfo("America/New_York")
NIGHT = QuietHours(time(22), time(7), SAO_PAULO)


def values(locale: Locale = "en") -> dict[str, str]:
    return dict(example(locale, zone=SAO_PAULO, link="https://hub.test/cvepro/mine"))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", NoticeKind)
def test_the_built_in_words_are_right_by_their_own_rules(kind: NoticeKind, locale: Locale) -> None:
    text = BUILT_IN[locale][kind]
    assert read_template(text, kind) == text
    shown = render(text, values(locale))
    assert "{" not in shown
    assert "–" not in shown
    assert SUBJECTS[locale][kind]
    assert "https://hub.test/cvepro/mine" in render(OPT_OUT[locale], values(locale))


def test_numbers_money_and_times_are_the_readers() -> None:
    template = "{name} {flat} {charger} {connector} {since} {until} {duration} {kwh} {cost} {reason}"
    assert render(template, values("pt-BR")) == (
        "Ana Souza A 101 Vaga 12 1 19:10 22:35 3 h 25 min 23,45 kWh R$ 22,28 falta de energia"
    )
    assert render(template, values("en")) == (
        "Ana Souza A 101 Bay 12 1 19:10 22:35 3 h 25 min 23.45 kWh R$ 22.28 power loss"
    )


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_variable_of_a_kind_has_a_value(kind: NoticeKind) -> None:
    assert set(VARIABLES[kind]) <= values().keys()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "needed"),
        (" \n ", "needed"),
        ("a" * (LONGEST + 1), "at most"),
        ("Olá {nome}", "{nome}"),
        ("{cost}", "{cost}"),  # nothing has been paid yet when it begins
        ("{}", "{}"),
        ("{name!r}", "{name!r}"),
        ("{name:>10}", "{name:>10}"),
        ("{name.__class__}", "{name.__class__}"),
        ("{name[0]}", "{name[0]}"),
        ("{name", "{name}"),
        ("name}", "{name}"),
        ("a\x00b", "can't be shown"),
    ],
)
def test_what_can_not_be_words_is_refused_and_says_why(text: str, words: str) -> None:
    with pytest.raises(InvalidField) as refused:
        read_template(text, NoticeKind.STARTED)
    assert refused.value.field == "text"
    assert words in str(refused.value)


def test_lines_braces_and_emoji_are_kept() -> None:
    text = read_template("⚡️ Olá, {name}\r\n\r\n{{ok}}  \n", NoticeKind.STARTED)
    assert text == "⚡️ Olá, {name}\n\n{{ok}}"
    assert render(text, values()) == "⚡️ Olá, Ana Souza\n\n{ok}"


@given(st.text(max_size=60))
def test_words_that_are_taken_can_be_read_again_and_rendered(text: str) -> None:
    try:
        plain = read_template(text, NoticeKind.ENDED)
    except InvalidField:
        return
    assert read_template(plain, NoticeKind.ENDED) == plain
    assert render(plain, values())


@given(st.text())
def test_a_value_is_put_in_as_it_is(name: str) -> None:
    assert render("<{name}>", {"name": name}) == f"<{name}>"


@pytest.mark.parametrize(
    ("reason", "actor", "is_so"),
    [
        ("PowerLoss", "station", True),
        ("EmergencyStop", None, True),
        ("Other", None, True),
        ("Local", "station", False),
        ("Remote", "user", False),
        ("evdisconnected", "station", False),
        ("Other", "user", False),
        (None, None, False),
        (" ", None, False),
    ],
)
def test_only_what_nobody_wanted_is_an_interruption(reason: str | None, actor: str | None, *, is_so: bool) -> None:
    assert is_interrupted(reason, actor) is is_so


def test_an_unknown_reason_is_told_as_the_charger_says_it() -> None:
    assert reason_words("GroundFailure", "pt-BR") == "GroundFailure"
    assert reason_words(None, "pt-BR") == "motivo não informado"


# -- quiet hours


def local(text: str, zone: ZoneInfo = SAO_PAULO, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-03-14 21:59:59", None),
        ("2026-03-14 22:00", "2026-03-15 07:00"),
        ("2026-03-15 03:00", "2026-03-15 07:00"),
        ("2026-03-15 06:59:59", "2026-03-15 07:00"),
        ("2026-03-15 07:00", None),
        ("2026-03-15 12:00", None),
    ],
)
def test_the_night_goes_over_midnight(at: str, end: str | None) -> None:
    assert NIGHT.end_after(local(at)) == (local(end) if end else None)


def test_hours_within_a_day() -> None:
    siesta = QuietHours(time(13), time(15), SAO_PAULO)
    assert siesta.end_after(local("2026-03-14 14:00")) == local("2026-03-14 15:00")
    assert siesta.end_after(local("2026-03-14 15:00")) is None


def test_they_end_by_the_clock_also_where_that_is_set_forward_or_back() -> None:
    night = QuietHours(time(22), time(7), NEW_YORK)
    assert night.end_after(local("2026-03-07 23:00", NEW_YORK)) == local("2026-03-08 07:00", NEW_YORK)
    assert local("2026-03-08 07:00", NEW_YORK) - local("2026-03-07 23:00", NEW_YORK) == timedelta(hours=7)
    assert night.end_after(local("2026-10-31 23:00", NEW_YORK)) == local("2026-11-01 07:00", NEW_YORK)
    short = QuietHours(time(0), time(1, 30), NEW_YORK)  # 01:30 comes twice
    assert short.end_after(local("2026-11-01 01:10", NEW_YORK, fold=1)) is None


@given(
    st.integers(1_577_836_800, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.times(),
    st.times(),
)
def test_they_always_end_and_within_a_day(at: datetime, begin: time, end: time) -> None:
    hours = QuietHours(begin, end, NEW_YORK)
    found = hours.end_after(at)
    assert found is None or at < found <= at + timedelta(hours=25)
    assert found is None or hours.end_after(found) is None or begin == end


@pytest.mark.parametrize(("begin", "end"), [("", "07:00"), ("22:00", ""), ("", ""), ("22:00", "22:00")])
def test_without_both_times_there_are_none(begin: str, end: str) -> None:
    assert quiet_hours(begin, end, SAO_PAULO) is None


def test_what_is_no_time_of_day_is_refused_by_name() -> None:
    assert quiet_hours("22:00", " 7:05", SAO_PAULO) == QuietHours(time(22), time(7, 5), SAO_PAULO)
    with pytest.raises(InvalidField) as refused:
        quiet_hours("22:00", "7 h", SAO_PAULO)
    assert refused.value.field == "quiet_until"
