import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from atalaia.core import formats
from atalaia.core.translations import LOCALES, Catalogue, Locale, Translations, Translator, choose_locale

AT = datetime(2026, 3, 4, 15, 7, 9, tzinfo=UTC)
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
PO = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

msgid "Down since {time}"
msgstr "Fora do ar desde {time}"

msgid "Not yet"
msgstr ""

msgid "{n} check"
msgid_plural "{n} checks"
msgstr[0] "{n} verificação"
msgstr[1] "{n} verificações"
"""


@pytest.fixture
def portuguese(tmp_path: Path) -> Translator:
    file = tmp_path / "watch" / "translations" / "pt_BR.po"
    file.parent.mkdir(parents=True)
    file.write_text(PO)
    return Translations.load([tmp_path]).translator("pt-BR")


def test_a_text_is_said_in_the_readers_language_with_its_places_filled(portuguese: Translator) -> None:
    assert portuguese.translate("Down since {time}", time="10:32") == "Fora do ar desde 10:32"


def test_a_text_without_translation_is_said_in_english(portuguese: Translator) -> None:
    assert portuguese.translate("Not yet") == "Not yet"
    assert portuguese.translate("Never heard of {thing}", thing="it") == "Never heard of it"


@pytest.mark.parametrize(("n", "text"), [(0, "0 verificações"), (1, "1 verificação"), (2, "2 verificações")])
def test_one_alone_is_singular(portuguese: Translator, n: int, text: str) -> None:
    assert portuguese.ngettext("{n} check", "{n} checks", n) == text


def test_a_file_is_read_once_and_again_when_it_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from babel.messages import pofile

    file = tmp_path / "watch" / "translations" / "pt_BR.po"
    file.parent.mkdir(parents=True)
    file.write_text(PO)
    read, read_po = list[Any](), pofile.read_po

    def counted(*given: Any, **more: Any) -> Any:
        read.append(given)
        return read_po(*given, **more)

    monkeypatch.setattr(pofile, "read_po", counted)
    said = [Translations.load([tmp_path]).translator("pt-BR").translate("Down since {time}", time=1) for _ in range(2)]
    file.write_text(PO.replace("Fora do ar desde", "Parado desde"))
    os.utime(file, ns=(1, 1))
    said.append(Translations.load([tmp_path]).translator("pt-BR").translate("Down since {time}", time=1))
    assert said == ["Fora do ar desde 1", "Fora do ar desde 1", "Parado desde 1"]
    assert len(read) == 2


def test_braces_that_come_as_a_value_are_not_filled(portuguese: Translator) -> None:
    assert portuguese.translate("Down since {time}", time="{time.__class__}") == "Fora do ar desde {time.__class__}"


@pytest.mark.parametrize(
    ("accepted", "locale"),
    [
        (None, "en"),
        ("", "en"),
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("en-GB,pt;q=0.9", "en"),
        ("fr,de;q=0.9,pt;q=0.5,en;q=0.4", "pt-BR"),
        ("pt;q=0,en;q=0.1", "en"),
        ("*", "en"),
        ("fr", "en"),
        ("; q=x,,,;;", "en"),
        ("pt" * 10_000, "en"),
    ],
)
def test_the_browsers_first_language_that_there_is_wins(accepted: str | None, locale: Locale) -> None:
    assert choose_locale(accepted) == locale


def test_a_persons_own_choice_comes_before_the_browsers() -> None:
    assert choose_locale("pt-BR", chosen="en") == "en"
    assert choose_locale("pt-BR", chosen="klingon") == "pt-BR"


@pytest.mark.parametrize(
    ("style", "english", "portuguese"),
    [
        ("clock", "12:07", "12:07"),
        ("short", "Mar 4, 12:07", "04/03 12:07"),
        ("date", "Mar 4, 2026", "04/03/2026"),
        ("full", "Mar 4, 2026, 12:07:09", "04/03/2026 12:07:09"),
    ],
)
def test_times_stand_in_the_readers_zone_and_manner(style: str, english: str, portuguese: str) -> None:
    assert formats.moment(AT, style, locale="en", timezone=SAO_PAULO) == english
    assert formats.moment(AT, style, locale="pt-BR", timezone=SAO_PAULO) == portuguese


def test_a_time_is_as_short_as_it_is_still_clear() -> None:
    def shown(now: datetime) -> str:
        return formats.when(AT, now=now, locale="pt-BR", timezone=SAO_PAULO)

    assert shown(AT + timedelta(hours=2)) == "12:07"
    assert shown(AT + timedelta(hours=13)) == "04/03 12:07"  # after midnight in São Paulo
    assert shown(AT + timedelta(days=400)) == "04/03/2026"


def test_a_zone_that_nobody_knows_is_utc() -> None:
    for name in (None, "", "Mars/Base", "../../etc/passwd", "\0", "a" * 300):
        assert formats.zone(name).key == "UTC"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0004, "1 ms"),
        (0.85, "850 ms"),
        (59.6, "1 min"),
        (192, "3 min 12 s"),
        (3600, "1 h"),
        (3605, "1 h"),
        (90061, "1 d 1 h"),
        (-3, "0 s"),
    ],
)
def test_a_span_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert formats.span(seconds) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0.84, "0,8 ms"),
        (12.44, "12,4 ms"),
        (99.97, "100,0 ms"),
        (340.4, "340 ms"),
        (1840.2, "1,84 s"),
        (64_000, "1 min 4 s"),
    ],
)
def test_a_latency_has_three_digits_that_matter(milliseconds: float, text: str) -> None:
    assert formats.latency(milliseconds, locale="pt-BR") == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(1, "100%"), (0, "0%"), (0.99996, "99.99%"), (0.999999, "99.99%"), (0.9987, "99.87%"), (0.5, "50.00%")],
)
def test_a_share_is_never_rounded_up_to_the_whole(ratio: float, text: str) -> None:
    assert formats.percent(ratio, locale="en") == text


def test_numbers_and_sizes_are_written_as_the_reader_writes_them() -> None:
    assert formats.number(1234567.5, locale="pt-BR") == "1.234.567,5"
    assert formats.number(1234567.5, 2, locale="en") == "1,234,567.50"
    assert formats.number(float("nan"), locale="en") == formats.DASH
    assert formats.size(480_000_000, locale="en") == "480 MB"
    assert formats.size(1500, locale="pt-BR") == "1,5 KB"
    assert formats.size(999, locale="en") == "999 B"


def test_every_language_has_a_translator() -> None:
    translations = Translations({"pt-BR": Catalogue()})
    assert [translations.translate(locale, "Up") for locale in LOCALES] == ["Up"] * len(LOCALES)
