"""A past of charging, imported from a cloud that says it badly; then everything is counted a second time, from what really was.

The first import has each transaction twice, some not yet, some with too little energy, and the hub is killed in between.
Meanwhile some are put right upwards, and some downwards (of which the larger figure has to stay, marked). A second import
brings the rest. What the hub then says by month, flat and charger must be what this file counts, to the last Wh and cent.
"""

import datetime as dt
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from atalaia.cli.stores import opened_store
from atalaia.integrations.cvepro.model.months import Month
from atalaia.integrations.cvepro.service.billing import statement
from atalaia.sdk.transaction import Tx
from atalaia_simulators.cvepro import InThread, Options
from tests.acceptance.calls import Client
from tests.acceptance.hub import Hub
from tests.servers import wait_until

ZONE: Final = ZoneInfo("America/Sao_Paulo")
ACCOUNT: Final = {"api_key": "key-of-the-vendor", "email": "ops@example.org", "password": "password-of-the-vendor"}
FIRST_TIME: Final = {"duplicate": True, "late": 0.04, "shrunk": 0.06}
UP_EACH, DOWN_EACH = 97, 211  # one of so many is put right upwards, or downwards
PRICE, FEE, IDLE_FEE, GRACE_MIN = 1_190_000, 1_500_000, 200_000, 10
EVENING_PRICE, EVENING = 1_730_000, (18, 21)
IMPORTED_WITHIN_S: Final = 900
Key = tuple[str | None, ...]


@dataclass(slots=True)
class Sum:
    sessions: int = 0
    energy_mwh: int = 0
    cost_micros: int = 0

    def take(self, energy_mwh: int, cost_micros: int) -> None:
        self.sessions += 1
        self.energy_mwh += energy_mwh
        self.cost_micros += cost_micros

    @property
    def told(self) -> tuple[int, int, int]:
        return self.sessions, self.energy_mwh, self.cost_micros


@dataclass(slots=True)
class Found:
    """`imports_s`: how long each took; `wrong` says what differs, a line each."""

    sessions: int = 0
    kills: int = 0
    corrected: int = 0
    marked: int = 0
    imports_s: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tariffs:
    """None at first, then a plain one, then one with a dearer evening; each from its day on."""

    plain: dt.date
    banded: dt.date

    def cost_micros(self, record: Mapping[str, Any]) -> int:
        """Counted here by fractions of seconds, not by the product's code."""
        start, stop = _instant(record["start"]), _instant(record["stop"])
        day = start.astimezone(ZONE).date()
        if day < self.plain:
            return int(record["cost_cents"]) * 10_000
        energy_mwh, minutes = record["energy_wh"] * 1000, max(0, record["idle_s"] // 60 - GRACE_MIN)
        evening_mwh = 0
        if day >= self.banded:
            charging_until = max(stop - dt.timedelta(seconds=record["idle_s"]), start + dt.timedelta(microseconds=1))
            evening_mwh = _share(energy_mwh, _evening(start, charging_until), charging_until - start)
        exact = (energy_mwh - evening_mwh) * PRICE + evening_mwh * EVENING_PRICE
        exact += (minutes * IDLE_FEE + (FEE if energy_mwh else 0)) * 1_000_000
        cent = 10_000 * 1_000_000
        return int((2 * exact + cent) // (2 * cent)) * 10_000


def _share(energy_mwh: int, part: dt.timedelta, whole: dt.timedelta) -> int:
    """To the mWh that is nearest, so that both shares sum to the whole."""
    micro = dt.timedelta(microseconds=1)
    return (2 * energy_mwh * (part // micro) + whole // micro) // (2 * (whole // micro))


def _evening(since: dt.datetime, until: dt.datetime) -> dt.timedelta:
    found, day = dt.timedelta(), since.astimezone(ZONE).date()
    while (begins := dt.datetime.combine(day, dt.time(EVENING[0]), ZONE)) < until:
        ends = dt.datetime.combine(day, dt.time(EVENING[1]), ZONE)
        found += max(dt.timedelta(), min(until, ends) - max(since, begins))
        day += dt.timedelta(days=1)
    return found


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


class Past:
    """The cloud with its past, the hub that imports it, and what is known to be true."""

    def __init__(self, folder: Path, vendor: InThread, *, first: dt.date, last: dt.date) -> None:
        env = {f"ATALAIA_CVEPRO_{name.upper()}": value for name, value in ACCOUNT.items()}
        env |= {"ATALAIA_CVEPRO_BASE_URL": vendor.url, "ATALAIA_CVEPRO_SESSIONS_EVERY_S": "3600"}
        self.hub = Hub(folder, env=env)
        self.vendor = Client(vendor.url)
        self.first, self.last = first, last
        days = (last - first).days
        self.tariffs = Tariffs(first + dt.timedelta(days=days // 3), first + dt.timedelta(days=2 * days // 3))
        self.records: dict[str, dict[str, Any]] = {}

    def begin(self) -> None:
        self.hub.start()
        self.client = self.hub.client("read", "write")
        fees = {"session_fee_micros": FEE, "idle_fee_micros": IDLE_FEE, "idle_grace_min": GRACE_MIN}
        band = {"name": "ponta", "from": "18:00", "until": "21:00", "price_micros": EVENING_PRICE}
        terms = {"price_micros": PRICE, **fees}
        # The later one first: a month that is over and has gone by a tariff takes no other.
        for day, more in ((self.tariffs.banded, {"bands": [band]}), (self.tariffs.plain, {})):
            self.client.made("/api/cvepro/tariffs", {"first_day": day.isoformat(), "terms": {**terms, **more}})
        found = self.vendor.get("/_sim/records").json["records"]
        self.records = {record["id"]: record for record in found}

    def fault(self, **faults: Any) -> None:
        assert self.vendor.post("/_sim/faults", faults).status == 200

    def import_all(self, *, kill_at: Iterable[float] = ()) -> float:
        """Seconds that it took; the hub is killed as it has come so far (0..1) each time."""
        jobs = self.hub.client("read", "jobs:create")
        id_, began = jobs.made("/api/cvepro/imports", {"from": self.first.isoformat()})["id"], time.monotonic()

        def came_to(share: float) -> Callable[[], bool]:
            def look() -> bool:
                (one,) = (each for each in self.client.get("/api/cvepro/imports").json["items"] if each["id"] == id_)
                return bool(one["share"] >= share or one["state"] == "done")

            return look

        for share in sorted(kill_at):
            wait_until(came_to(share), what=f"{share:.0%} of the import", timeout_s=IMPORTED_WITHIN_S)
            self.hub.kill()
            self.hub.start()
        wait_until(came_to(2), what="the import", timeout_s=IMPORTED_WITHIN_S)
        return time.monotonic() - began

    def told_by_vendor(self) -> list[dict[str, Any]]:
        """Each transaction as the list says it just now."""
        token = self.vendor.request(
            "POST",
            "/api/v1/login",
            body=b'{"email": "%s", "password": "%s"}' % (ACCOUNT["email"].encode(), ACCOUNT["password"].encode()),
            headers={"Api-Key": ACCOUNT["api_key"]},
        ).json["token"]
        found: dict[str, dict[str, Any]] = {}
        for first in range(0, (self.last - self.first).days + 1, 30):
            since = self.first + dt.timedelta(days=first)
            until = min(self.last, since + dt.timedelta(days=29))
            path = f"/api/v1/transaction?fromDate={since}&toDate={until}"
            told = self.vendor.request("GET", path, headers={"Authorization": token})
            found |= {str(item["id"]): item for item in told.json["list"]}
        return list(found.values())

    def correct(self, known: Mapping[str, int]) -> int:
        """At the vendor's, and in what is true; how many. `known`: the energy that each was told with before, Wh."""
        put = [item for item in self.told_by_vendor() if self._corrected(item, known.get(str(item["id"]), 0))]
        assert self.vendor.post("/_sim/transactions", put).status == 200
        return len(put)

    def _corrected(self, item: dict[str, Any], known_wh: int) -> bool:
        record = self.records[str(item["id"])]
        number = int(item["id"])
        if number % UP_EACH == 0:
            item["energy"] += 1 + number % 500
            item["cost"] = (record["cost_cents"] + 7) / 100
        elif number % DOWN_EACH == 0 and item["energy"] > 1:
            item["energy"] -= 1
            item["cost"] = max(0, record["cost_cents"] - 3) / 100
        else:
            return False
        item["stopValue"] = item["startValue"] + item["energy"]
        record["is_marked"] = item["energy"] < known_wh
        if not record["is_marked"]:  # else the larger figure stays, and its cost with it
            record["energy_wh"], record["cost_cents"] = item["energy"], round(item["cost"] * 100)
        return True

    # -- what is true, and what the hub says

    def sums(self, key: Callable[[Mapping[str, Any]], Any]) -> dict[Any, tuple[int, int, int]]:
        found: defaultdict[Any, Sum] = defaultdict(Sum)
        for record in self.records.values():
            found[key(record)].take(record["energy_wh"] * 1000, self.tariffs.cost_micros(record))
        return {name: each.told for name, each in found.items()}

    def told(self, by: str) -> dict[Any, tuple[int, int, int]]:
        told = self.client.get(f"/api/cvepro/usage?from={self.first}&until={self.last}&by={by}").json
        return {
            each[by]: (each["sessions"], each["energy_mwh"] or 0, each["cost_micros"] or 0)
            for each in told["items"]
            if each["sessions"]
        }

    def billed(self) -> tuple[dict[Any, tuple[int, int, int]], Counter[str]]:
        """By the statements: month and flat; and how often each doubt is marked."""
        months = sorted({_month(record) for record in self.records.values()})
        found: dict[Any, tuple[int, int, int]] = {}
        doubts: Counter[str] = Counter()

        def unit(tx: Tx) -> None:
            for name in months:
                year, number = name.split("-")
                made = statement(tx, Month(int(year), int(number)), ZONE)
                for flat in made.flats:
                    lines = [line for line in flat.lines if line.id in self.records]
                    doubts.update(doubt for line in lines for doubt in line.doubts)
                    energy = sum(line.energy_mwh or 0 for line in lines)
                    found[name, flat.flat] = len(lines), energy, sum(line.cost_micros or 0 for line in lines)

        with opened_store(self.hub.data_dir, None) as store:
            store.read_now(unit)
        return {key: each for key, each in found.items() if each[0]}, doubts


def _month(record: Mapping[str, Any]) -> str:
    return f"{_instant(record['start']).astimezone(ZONE):%Y-%m}"


def run_history(folder: Path, *, seed: int, sessions: int, days: int, kills: int) -> Found:
    today = dt.datetime.now(ZONE).date()
    first, last = today - dt.timedelta(days=days), today - dt.timedelta(days=1)
    history = {"days": days, "sessions": sessions, "seed": seed % (1 << 31), "end": today.isoformat()}
    vendor = InThread(Options(**ACCOUNT, history=history))  # type: ignore[arg-type]
    vendor.start()
    past = Past(folder, vendor, first=first, last=last)
    found, chance = Found(kills=kills), random.Random(seed)
    try:
        past.begin()
        past.fault(**FIRST_TIME)
        found.imports_s.append(past.import_all(kill_at=[chance.uniform(0.1, 0.9) for _ in range(kills)]))
        known = {str(item["id"]): int(item["energy"]) for item in past.told_by_vendor()}
        past.fault(**dict.fromkeys(FIRST_TIME))
        found.corrected = past.correct(known)
        found.imports_s.append(past.import_all())
        _compare(past, found)
    finally:
        past.hub.close()
        vendor.close()
    return found


def _compare(past: Past, found: Found) -> None:
    found.sessions = len(past.records)
    by_month_and_flat = past.sums(lambda each: (_month(each), each["flat"]))
    billed, doubts = past.billed()
    pairs = (
        ("month", past.told("month"), past.sums(_month)),
        ("flat", past.told("flat"), past.sums(lambda each: each["flat"])),
        ("charger", past.told("charger"), _by_charger(past)),
        ("statement", billed, by_month_and_flat),
    )
    for name, said, true in pairs:
        keys = sorted(said.keys() | true.keys(), key=str)
        found.wrong += [
            f"{name} {key}: says {said.get(key)}, is {true.get(key)}" for key in keys if said.get(key) != true.get(key)
        ]
    found.marked = sum(bool(each.get("is_marked")) for each in past.records.values())
    if doubts != Counter({"shrank": found.marked}):
        found.wrong.append(f"marked {dict(doubts)}, are {found.marked} that shrank")


def _by_charger(past: Past) -> dict[Any, tuple[int, int, int]]:
    return past.sums(lambda each: each["charger"])
