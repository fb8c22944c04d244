"""Statements of a month as they come, made without a store: seeded, priced by the product's own prices."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from atalaia.integrations.cvepro.model.months import Month
from atalaia.integrations.cvepro.model.pricing import Charged, PriceList
from atalaia.integrations.cvepro.model.statement import FlatStatement, SessionLine, Statement, Sums, sums_of
from atalaia.integrations.cvepro.model.tariffs import Band, Tariff, Terms

ZONE: Final = ZoneInfo("America/Sao_Paulo")
MONTH: Final = Month(2026, 10)
MADE_AT: Final = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
TERMS: Final = Terms(
    price_micros=950_000,
    bands=(
        Band(name="Ponta", days=(1, 2, 3, 4, 5), begins="18:00", ends="21:00", price_micros=1_450_000),
        Band(name="Madrugada", begins="23:00", ends="06:00", price_micros=720_000),
    ),
    session_fee_micros=1_500_000,
    idle_fee_micros=200_000,
    idle_grace_min=15,
    monthly_fee_micros=25_000_000,
)
TARIFF: Final = Tariff(
    id="t1", first_day=date(2026, 9, 15), terms=TERMS, created_by="p1", created_at=datetime(2026, 9, 1, tzinfo=UTC)
)


def line(  # a session of the kit, all that matters to a test by name
    number: int,
    *,
    flat: str | None,
    name: str | None = "Ana Souza",
    tariff: Tariff | None = TARIFF,
    doubts: tuple[str, ...] = (),
    energy_mwh: int | None = 7_432_000,
    began_at: datetime | None = None,
    charger: str = "Vaga 12",
) -> SessionLine:
    began = began_at or MONTH.since(ZONE) + timedelta(hours=7 * number % 740, minutes=11 * number % 60)
    ended = began + timedelta(hours=2, minutes=13 * number % 180)
    idle_s = float(300 * (number % 9))
    price = None
    if tariff is not None and energy_mwh is not None:
        charged = Charged(started_at=began, stopped_at=ended, energy_mwh=energy_mwh, idle_s=idle_s)
        price = PriceList(tariff.terms, ZONE).price(charged)
    return SessionLine(
        id=f"9{number:05}",
        began_at=began,
        started_at=began,
        stopped_at=ended,
        box_id=f"CVE-{number % 20:03}",
        charger=charger,
        connector="1",
        flat=flat,
        resident_id="r1" if name else None,
        resident=name,
        user_name=name,
        tag=f"04A2{number:06X}",
        energy_mwh=energy_mwh,
        idle_s=idle_s,
        cost_micros=price.cost_micros if price else 5_430_000 if tariff is None else None,
        parts=price.parts if price else (),
        tariff_id=tariff.id if tariff else None,
        doubts=doubts,
    )


def flat_of(flat: str | None, lines: Sequence[SessionLine], *, fee: int = TERMS.monthly_fee_micros) -> FlatStatement:
    own = tuple(sorted(lines, key=lambda each: each.began_at))
    names = tuple(dict.fromkeys(each.resident for each in own if each.resident))
    sums = sums_of(own, monthly_fee_micros=fee if flat is not None else 0)
    return FlatStatement(flat=flat, residents=names if flat is not None else (), lines=own, sums=sums)


def statement(flats: Sequence[FlatStatement], *, tariffs: tuple[Tariff, ...] = (TARIFF,)) -> Statement:
    return Statement(
        month=MONTH,
        zone=ZONE.key,
        since=MONTH.since(ZONE),
        until=MONTH.until(ZONE),
        flats=tuple(flats),
        under_way=(),
        tariffs=tariffs,
        sums=sum((each.sums for each in flats), Sums()),
    )


def month_of_a_house(flats: int = 40, sessions: int = 600, *, seed: int = 7) -> Statement:
    """Some with doubts, some of nobody."""
    rng = random.Random(seed)
    found: dict[str | None, list[SessionLine]] = {str(101 + 10 * n // 4): [] for n in range(flats)}
    keys = [*found, None]
    for number in range(sessions):
        flat = rng.choice(keys) if number % 50 else None
        found.setdefault(flat, []).append(
            line(
                number,
                flat=flat,
                name=f"Morador {flat} Ção" if flat else None,
                energy_mwh=rng.randrange(500, 42_000) * 1000,
                doubts=("shrank",) if number % 97 == 0 else (),
                charger=f"Vaga {1 + number % 20}",
            )
        )
    return statement([flat_of(flat, lines) for flat, lines in found.items() if lines or flat is not None])
