"""What the papers say: texts, figures and times in one language and the condominium's zone."""

from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date

from atalaia.core.formats import decimal, moment
from atalaia.core.translations import Locale, Translations
from atalaia.integrations.cvepro.model.months import Month

_MICROS: Final = 1_000_000
_MINUTE_S: Final = 60
_HOUR_MIN: Final = 60
_BABEL: Final[dict[Locale, str]] = {"en": "en_US", "pt-BR": "pt_BR"}
DASH: Final = "–"


@cache
def _translations() -> Translations:
    return Translations.load()


class Words:
    def __init__(self, locale: Locale, zone: str) -> None:
        self.locale = locale
        self.zone = ZoneInfo(zone)
        translator = _translations().translator(locale)
        self.translate = translator.translate
        self.ngettext = translator.ngettext

    def month(self, month: Month) -> str:
        pattern = "MMMM 'de' y" if self.locale == "pt-BR" else "MMMM y"
        return format_date(month.first_day, pattern, locale=_BABEL[self.locale])

    def day(self, day: date) -> str:
        return format_date(day, "dd/MM/y" if self.locale == "pt-BR" else "MMM d, y", locale=_BABEL[self.locale])

    def at(self, at: datetime) -> str:
        return moment(at, "short", locale=self.locale, timezone=self.zone)

    def full(self, at: datetime) -> str:
        return moment(at.replace(second=0, microsecond=0), "full", locale=self.locale, timezone=self.zone)[:-3]

    def local(self, at: datetime) -> datetime:
        """As the clock there shows it, without a zone: spreadsheets know none."""
        return at.astimezone(self.zone).replace(tzinfo=None)

    def kwh(self, mwh: int | None) -> str:
        """To the Wh: what is shown sums to the totals that are shown."""
        return DASH if mwh is None else decimal(Decimal(mwh) / _MICROS, least=3, most=3, locale=self.locale)

    def money(self, micros: int | None) -> str:
        return DASH if micros is None else f"R$ {self.amount(micros)}"

    def amount(self, micros: int | None, *, most: int = 2) -> str:
        return DASH if micros is None else decimal(Decimal(micros) / _MICROS, least=2, most=most, locale=self.locale)

    def price(self, micros: int) -> str:
        """A price may have more than cents."""
        return f"R$ {self.amount(micros, most=6)}"

    def lasted(self, seconds: float | None) -> str:
        """Hours and minutes, as 3:07."""
        if seconds is None:
            return DASH
        hours, minutes = divmod(round(seconds) // _MINUTE_S, _HOUR_MIN)
        return f"{hours}:{minutes:02}"

    def count(self, value: int) -> str:
        return decimal(Decimal(value), least=0, most=0, locale=self.locale)
