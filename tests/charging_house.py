"""A condominium in the store: flats with residents and tags, a tariff, and a month of sessions, seeded. On whatever store is given."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import insert

from atalaia.core.ids import new_id
from atalaia.integrations.cvepro.model.months import Month
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.model.tariffs import Band, Terms
from atalaia.integrations.cvepro.queries import sessions
from atalaia.integrations.cvepro.tables import residents, tags, tariffs
from atalaia.sdk.transaction import Tx

MONTH: Final = Month(2026, 10)
_SINCE: Final = datetime(2026, 10, 1, 3, tzinfo=UTC)  # midnight in São Paulo
_MONTH_MIN: Final = 31 * 1440
_NAMES: Final = ("Ana Conceição", "João Araújo", "Bruna Ştefan", "Luís Ñandú", "Zoë D'Ávila", "=SOMA(A1)")
TERMS: Final = Terms(
    price_micros=950_000,
    bands=(Band(name="Ponta", days=(1, 2, 3, 4, 5), begins="18:00", ends="21:00", price_micros=1_450_000),),
    session_fee_micros=1_500_000,
    idle_fee_micros=200_000,
    idle_grace_min=15,
)


@dataclass(frozen=True, slots=True)
class House:
    """How large; each twentieth flat has two residents, each fiftieth session is nobody's, each hundredth is doubtful."""

    flats: int = 200
    sessions: int = 3000
    seed: int = 1

    def furnish(self, tx: Tx) -> None:
        now = datetime.now(UTC)
        held = [(flat, tag) for n in range(self.flats) for flat, tag in _moves_in(tx, n, now)]
        tx.execute(
            insert(tariffs).values(
                id=new_id(), first_day="2026-09-01", terms=msgspec.to_builtins(TERMS), created_by="t", created_at=now
            )
        )
        sessions.add(tx, self._sessions([tag for _, tag in held]), now=now)

    def _sessions(self, known: list[str]) -> Iterator[Session]:
        rng = random.Random(self.seed)
        for number in range(self.sessions):
            began = _SINCE + timedelta(minutes=rng.randrange(_MONTH_MIN - 1))
            energy = rng.randrange(200, 45_000) * 1000
            yield Session(
                id=f"{70_000 + number}",
                box_id=f"CVE-{1 + number % 20:03}",
                connector="1",
                tag=None if number % 50 == 0 else known[rng.randrange(len(known))],
                started_at=began,
                stopped_at=began + timedelta(minutes=rng.randrange(10, 700)),
                energy_mwh=energy,
                start_mwh=0,
                stop_mwh=energy,
                cost_micros=energy * 9 // 10,
                idle_s=float(rng.randrange(0, 5400)),
                stop_reason="EVDisconnected",
                doubts=("shrank",) if number % 100 == 7 else (),
            )


def _moves_in(tx: Tx, number: int, now: datetime) -> Iterator[tuple[str, str]]:
    flat = f"{1 + number // 8}{1 + number % 8:02}"
    for person in range(2 if number % 20 == 0 else 1):
        id_, tag = new_id(), f"04A2{number:05X}{person}"
        name = f"{_NAMES[(number + person) % len(_NAMES)]} {flat}"
        row: dict[str, Any] = {"id": id_, "name": name, "flat": flat, "locale": "pt-BR", "notices": []}
        tx.execute(insert(residents).values(**row, is_active=True, created_at=now, changed_at=now))
        tx.execute(insert(tags).values(id=new_id(), tag=tag, resident_id=id_))
        yield flat, tag
