"""What a resident hears on the phone: a session's life, once each, whatever happens to hubs, WhatsApp and numbers."""

import base64
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from typing import Any

import pytest

from atalaia_simulators.cvepro import InThread as Vendor
from atalaia_simulators.cvepro.site import CHARGERS, Options
from atalaia_simulators.cvepro.traffic import sessions_of
from atalaia_simulators.evolution import DEFAULT_INSTANCE, DEFAULT_KEY
from atalaia_simulators.evolution import InThread as Evolution
from tests.acceptance.calls import Client
from tests.acceptance.conftest import MakeHub
from tests.acceptance.hub import Hub
from tests.acceptance.test_charging import settings_for
from tests.servers import wait_until
from tests.unit.simulators.evolution.phone import Phone

BOX, OTHER_BOX = "CVE-004", "CVE-006"
TAG = "0A:1B:2C"
ANA, BIA = "5511912345678", "5521987654321"
LOCAL = timezone(timedelta(hours=-3))
KINDS = ["started", "full", "ended", "interrupted", "charger_free"]
SEND = {"only": {"path": "/message/sendText/atalaia"}}
KEY = base64.b64encode(b"k" * 32).decode()  # of both hubs: what one seals the other opens
KILLS, SEED = 4, 20_260_315


def is_quiet(seed: int) -> bool:
    """Nobody else charges where the test does: a newer session there would be the one that a car is full of."""
    now, around = datetime.now(LOCAL), timedelta(hours=1)
    days = [now.date() + timedelta(days=n) for n in (-1, 0, 1)]
    found = [each for day in days for each in sessions_of(seed, CHARGERS, day)]
    there = [each for each in found if each.charger.box_id in (BOX, OTHER_BOX)]
    return not any(each.start < now + around and now - around < each.stop for each in there)


def slashed(at: datetime) -> str:
    return at.astimezone(LOCAL).strftime("%d/%m/%Y %H:%M:%S")


@pytest.fixture
def phone() -> Iterator[Phone]:
    simulator = Evolution()
    simulator.start()
    yield Phone(simulator.url)
    simulator.close()


@pytest.fixture
def vendor() -> Iterator[Client]:
    simulator = Vendor(Options(seed=next(filter(is_quiet, count(7)))))
    simulator.start()
    yield Client(simulator.url)
    simulator.close()


def environment(vendor: Client, phone: Phone, **more: str) -> dict[str, str]:
    given = {"SESSIONS_EVERY_S": "0.5", "QUIET_FROM": "00:00", "QUIET_UNTIL": "00:00", "FULL_AFTER_S": "0", **more}
    return {
        **settings_for(vendor.url, **{"POLL_S": "0.5", **given}),
        "ATALAIA_EVOLUTION_BASE_URL": phone.url,
        "ATALAIA_EVOLUTION_API_KEY": DEFAULT_KEY,
        "ATALAIA_EVOLUTION_INSTANCE": DEFAULT_INSTANCE,
    }


class House:
    """Ana, who has a tag and wants all notices, and what the vendor says of her."""

    def __init__(self, hub: Hub, vendor: Client, phone: Phone) -> None:
        self.hub = hub
        self.vendor = vendor
        self.phone = phone
        self.client = hub.client("read", "write")
        self.ana = self.resident("Ana Souza", "A 101", ANA, tags=[TAG])
        wait_until(lambda: len(self.client.get("/api/dashboard/chargers").json["data"]) == 20, what="the chargers")

    def resident(self, name: str, flat: str, phone: str, **more: Any) -> str:
        made = self.client.made("/api/cvepro/residents", {"name": name, "flat": flat, "phone": f"+{phone}", **more})
        self.wants_all(made["id"])
        return str(made["id"])

    def wants_all(self, id: str) -> None:
        assert self.client.send("PUT", f"/api/cvepro/residents/{id}/notices", {"kinds": KINDS}).status == 204

    def session(self, id: int, *, began: datetime | None = None, **told: Any) -> None:
        row = {
            "id": id,
            "connectorId": 1,
            "chargeBoxId": BOX,
            "ocppIdTag": TAG,
            "startTimestamp": slashed(began or datetime.now(UTC) - timedelta(minutes=10)),
            "stopTimestamp": None,
            **told,
        }
        assert self.vendor.post("/_sim/transactions", row).status == 200

    def end(self, id: int, *, reason: str = "EVDisconnected") -> None:
        now = datetime.now(UTC)
        told = {"stopTimestamp": slashed(now), "energy": 12_340, "cost": 9.87, "stopReason": reason}
        self.session(id, began=now - timedelta(minutes=100), **told)

    def says(self, box_id: str, word: str | None) -> None:
        assert self.vendor.post("/_sim/statuses", {box_id: word}).status == 200

    def fates(self) -> list[tuple[str, str]]:
        """Oldest first."""
        return [(each["kind"], each["fate"]) for each in self.record()]

    def record(self) -> list[dict[str, Any]]:
        return self.client.items("/api/cvepro/notices")[::-1]

    def await_fate(self, kind: str, fate: str, *, count: int = 1) -> None:
        wait_until(lambda: self.fates().count((kind, fate)) >= count, what=f"{kind} {fate}", timeout_s=60)

    def heard(self, number: str = ANA) -> list[str]:
        return [each["text"] for each in self.phone.messages() if each["number"] == number]


@pytest.fixture
def house(make_hub: MakeHub, vendor: Client, phone: Phone) -> House:
    return House(make_hub(env=environment(vendor, phone)).start(), vendor, phone)


def test_a_sessions_life_is_heard_once_each(house: House) -> None:
    house.session(900_001)
    house.await_fate("started", "delivered")
    house.says(BOX, "SuspendedEV")
    house.await_fate("full", "delivered")
    house.hub.restart()
    house.end(900_001)
    house.await_fate("ended", "delivered")
    house.says(BOX, "Charging")
    wait_until(lambda: house_state(house, BOX) == "Charging", what="the next car")
    house.session(900_002)
    house.await_fate("started", "delivered", count=2)
    house.end(900_002, reason="PowerLoss")
    house.await_fate("interrupted", "delivered")
    kinds = [kind for kind, _ in house.fates()]
    assert kinds == ["started", "full", "ended", "started", "interrupted"]
    began, full, ended, *_, cut = house.heard()
    assert began.startswith("Olá, Ana! Sua recarga em Vaga 04 começou às ")
    assert f"{house.hub.url}/cvepro/mine" in began
    assert full.startswith("Ana, seu carro em Vaga 04 parou de carregar")
    assert ended.startswith("Ana, sua recarga em Vaga 04 terminou: 12,34 kWh em 1 h 40 min, custo R$ 9,87.")
    assert "falta de energia" in cut
    assert len(house.heard()) == len(kinds)
    assert house.client.get("/api/deliveries").json["items"][0]["event"] == "direct"


def test_who_waits_hears_of_the_charger_that_is_free(house: House) -> None:
    house.says(OTHER_BOX, "Charging")
    wait_until(lambda: house_state(house, OTHER_BOX) == "Charging", what="it is taken")
    store_wait(house.hub, house.ana)
    house.says(OTHER_BOX, "Available")
    house.await_fate("charger_free", "delivered")
    assert house.heard() == [text for text in house.heard() if "Vaga 06 acaba de ficar livre" in text]
    house.says(OTHER_BOX, "Charging")
    wait_until(lambda: house_state(house, OTHER_BOX) == "Charging", what="it is taken again")
    house.says(OTHER_BOX, "Available")
    wait_until(lambda: house_state(house, OTHER_BOX) == "Available", what="it is free again")
    assert len(house.heard()) == 1


def house_state(house: House, box_id: str) -> str:
    items = house.client.get("/api/dashboard/chargers").json["data"]
    return next(str(each["statusConector"]) for each in items if each["chargeBoxId"] == box_id)


def store_wait(hub: Hub, resident_id: str) -> None:
    """As the resident's own view keeps it."""
    from sqlalchemy import insert

    from atalaia.integrations.cvepro.tables import waits

    row = {"resident_id": resident_id, "charger_key": "", "asked_at": datetime.now(UTC)}
    hub._write(lambda tx: tx.execute(insert(waits), [row]))


def test_in_quiet_hours_nothing_is_heard(make_hub: MakeHub, vendor: Client, phone: Phone) -> None:
    now = datetime.now(LOCAL)
    hours = {f"QUIET_{name}": f"{now + timedelta(hours=h):%H:%M}" for name, h in (("FROM", -2), ("UNTIL", 2))}
    house = House(make_hub(env=environment(vendor, phone, **hours)).start(), vendor, phone)
    house.session(900_001)
    house.await_fate("started", "quiet")
    house.end(900_001)
    house.await_fate("ended", "queued")
    assert house.heard() == []


def test_a_number_that_is_not_on_whatsapp_is_tried_once(house: House) -> None:
    house.phone.faults(not_on_whatsapp=[ANA])
    house.session(900_001)
    house.await_fate("started", "refused")
    house.end(900_001)
    house.await_fate("ended", "not_there")
    house.phone.faults(not_on_whatsapp=None)
    changed = house.client.send("PATCH", f"/api/cvepro/residents/{house.ana}", {"phone": f"+{BIA}"})
    assert changed.status == 200, changed.text
    house.wants_all(house.ana)  # what was agreed to for one number is not for another
    house.session(900_002)
    house.await_fate("started", "delivered")
    assert house.heard() == []
    assert len(house.heard(BIA)) == 1


@pytest.mark.parametrize("fault", ["fail_after_send", "cut_after_send"])
def test_what_perhaps_went_out_is_unknown_and_never_sent_again(house: House, fault: str) -> None:
    house.phone.faults(**{fault: {"value": True, "times": 1}})
    house.session(900_001)
    house.await_fate("started", "unknown")
    house.hub.kill()
    house.hub.start()
    house.end(900_001)
    house.await_fate("ended", "delivered")
    assert len([text for text in house.heard() if "começou" in text]) == 1


def test_a_phone_that_is_offline_only_delays_it_also_over_a_kill(house: House) -> None:
    house.phone.faults(state="close")
    house.session(900_001)
    house.await_fate("started", "queued")
    house.hub.kill()
    house.phone.faults(state=None)
    house.hub.start()
    house.await_fate("started", "delivered")
    assert len(house.heard()) == 1


def test_killed_while_it_goes_out_it_is_unknown_and_heard_once(house: House) -> None:
    house.phone.faults(delay_ms={"value": 20_000, **SEND})
    house.session(900_001)
    wait_until(lambda: bool(house.heard()), what="the message", timeout_s=60)
    house.hub.kill()
    house.phone.faults(delay_ms=None)
    house.hub.start()
    house.await_fate("started", "unknown")
    assert len(house.heard()) == 1


def test_kills_at_any_moment_lose_nothing_and_double_nothing(house: House) -> None:
    chance = random.Random(SEED)
    for n in range(KILLS):
        house.session(900_001 + n)
        pause_until(time.monotonic() + chance.uniform(0.2, 1.2))
        house.hub.kill()
        house.hub.start()
    wait_until(lambda: all_are_over(house), what="all are over", timeout_s=60)
    fates = [fate for _, fate in house.fates()]
    began = len([text for text in house.heard() if "começou" in text])
    assert len(fates) == KILLS
    assert fates.count("delivered") <= began <= fates.count("delivered") + fates.count("unknown")
    assert set(fates) <= {"delivered", "unknown"}


def pause_until(at: float) -> None:
    """A moment by chance, to be killed at."""
    wait_until(lambda: time.monotonic() >= at, what="that moment")


def all_are_over(house: House) -> bool:
    found = house.fates()
    return len(found) == KILLS and all(fate != "queued" for _, fate in found)


def test_two_hubs_tell_it_once(
    make_hub: MakeHub, new_database: Callable[[], str], vendor: Client, phone: Phone
) -> None:
    url, env = new_database(), {**environment(vendor, phone), "ATALAIA_SECRET_KEY": KEY}
    first = make_hub(database_url=url, env=env).start()
    second = make_hub(database_url=url, env=env).start()
    house = House(first, vendor, phone)
    house.session(900_001)
    house.await_fate("started", "delivered")
    house.client = Client(second.url, house.client.key)
    first.kill()
    house.end(900_001)
    house.await_fate("ended", "delivered")
    assert len(house.heard()) == 2
