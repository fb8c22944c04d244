"""What stands in a notice for its variables, as its reader writes numbers, money and times. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from atalaia.core import formats
from atalaia.core.translations import LOCALES, Locale
from atalaia.integrations.cvepro.model.notices import reason_words
from atalaia.integrations.cvepro.model.residents import Resident
from atalaia.integrations.cvepro.model.sessions import Session

_MILLION: Final = Decimal(1_000_000)


def locale_of(resident: Resident) -> Locale:
    return next((each for each in LOCALES if each == resident.locale), "pt-BR")


def person_values(resident: Resident, *, charger: str, link: str, connector: str | None = None) -> dict[str, str]:
    return {
        "name": resident.name,
        "first_name": resident.name.split(maxsplit=1)[0] if resident.name else "",
        "flat": resident.flat,
        "charger": charger,
        "connector": connector or formats.DASH,
        "link": link,
    }


def session_values(
    session: Session, *, locale: Locale, zone: ZoneInfo, now: datetime, cost_micros: int | None
) -> dict[str, str]:
    """`now`: until then it goes on."""
    until = session.stopped_at or now
    lasted = until - session.started_at if session.started_at and until > session.started_at else None
    return {
        "since": _clock(session.started_at, now, locale, zone),
        "until": _clock(until, now, locale, zone),
        "duration": formats.DASH if lasted is None else formats.span(_whole_minutes(lasted)),
        "kwh": _kwh(session.so_far_mwh, locale),
        "cost": _money(cost_micros, locale),
        "reason": reason_words(session.stop_reason, locale),
    }


def example(locale: Locale, *, zone: ZoneInfo, link: str) -> Mapping[str, str]:
    """Of nobody."""
    began = datetime(2026, 3, 14, 22, 10, tzinfo=UTC)
    ended = began + timedelta(hours=3, minutes=25)
    session = Session(
        id="1", started_at=began, stopped_at=ended, energy_mwh=23_450_000, stop_reason="PowerLoss", cost_micros=0
    )
    resident = Resident(id="1", name="Ana Souza", flat="A 101", created_at=began, changed_at=began)
    charger = "Vaga 12" if locale == "pt-BR" else "Bay 12"
    return {
        **person_values(resident, charger=charger, link=link, connector="1"),
        **session_values(session, locale=locale, zone=zone, now=ended, cost_micros=22_280_000),
    }


def _clock(at: datetime | None, now: datetime, locale: Locale, zone: ZoneInfo) -> str:
    return formats.DASH if at is None else formats.when(at, now=now, locale=locale, timezone=zone)


def _whole_minutes(lasted: timedelta) -> timedelta:
    """Nobody wants the seconds of three hours."""
    return timedelta(minutes=round(lasted.total_seconds() / 60)) if lasted >= timedelta(minutes=1) else lasted


def _kwh(mwh: int | None, locale: Locale) -> str:
    return formats.DASH if mwh is None else f"{formats.decimal(mwh / _MILLION, locale=locale)} kWh"


def _money(micros: int | None, locale: Locale) -> str:
    return formats.DASH if micros is None else f"R$ {formats.decimal(micros / _MILLION, locale=locale)}"
