"""Charge points that connect straight to a hub, with the protocol library's own side of it as the client."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from ocpp.exceptions import NotImplementedError as OcppNotImplemented
from ocpp.exceptions import OCPPError, ProtocolError, SecurityError
from ocpp.v16 import call
from websockets.exceptions import InvalidStatus

from tests.acceptance.calls import Client
from tests.acceptance.conftest import MakeHub
from tests.acceptance.hub import Hub
from tests.ocpp_box import Box, energy, plugged_in, power
from tests.servers import wait_until
from tests.stopwatch import Stopwatch

TAG, BLOCKED_TAG = "04A21B3C", "0BADCA4D"
# Told late, as by one that was offline for long: a clock that is years behind is not believed.
BEGAN = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=60)


@dataclass
class Site:
    hub: Hub
    admin: Client

    def charger(self, box_id: str) -> Any:
        found = self.admin.get("/api/dashboard/chargers").json
        return next((each for each in found["data"] if each["chargeBoxId"] == box_id), None)

    def station(self, box_id: str) -> Any:
        items = self.admin.get("/api/cvepro/stations").json["items"]
        return next((each for each in items if each["chargeBoxId"] == box_id), None)

    def sessions(self, box_id: str) -> list[Any]:
        return sessions_of(self.hub, box_id)

    def command(self, box_id: str, **order: Any) -> Any:
        return self.admin.post(f"/api/cvepro/chargers/{box_id}/commands", order)


def sessions_of(hub: Hub, box_id: str) -> list[Any]:
    """As they are kept."""
    columns = "id, tag, energy_mwh, start_mwh, stop_mwh, stop_reason, started_at, stopped_at, idle_s, doubts"
    question = f"SELECT {columns} FROM cvepro_sessions WHERE box_id = '{box_id}' ORDER BY id"
    if hub.database_url:
        with psycopg.connect(hub.database_url) as there:
            rows: list[Any] = there.execute(question.encode()).fetchall()
    else:
        with closing(sqlite3.connect(hub.data_dir / "atalaia.db")) as here:
            rows = here.execute(question).fetchall()
    return [dict(zip(columns.split(", "), row, strict=True)) for row in rows]


def with_residents(hub: Hub) -> Client:
    admin = hub.client("admin")
    admin.made("/api/cvepro/residents", {"name": "Ana Souza", "flat": "101", "tags": [TAG]})
    blocked = admin.made("/api/cvepro/residents", {"name": "Rui Costa", "flat": "102", "tags": [BLOCKED_TAG]})
    answer = admin.send("PATCH", f"/api/cvepro/residents/{blocked['id']}", {"is_active": False})
    assert answer.status == 200, answer.text
    return admin


@pytest.fixture(scope="module")
def open_site(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One that lets everybody in; each test has a charge point of its own."""
    hub = Hub(tmp_path_factory.mktemp("ocpp"), env={"ATALAIA_CVEPRO_OCPP_ADMISSION": "open"})
    try:
        hub.start()
        yield Site(hub, with_residents(hub))
    finally:
        hub.close()


def run(act: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(act())  # type: ignore[arg-type] # a coroutine


async def refusal(url: str, box_id: str, **given: Any) -> int:
    with pytest.raises(InvalidStatus) as caught:
        async with plugged_in(url, box_id, **given):
            pass
    return caught.value.response.status_code


async def in_thread(call_it: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(call_it)


def test_a_session_from_boot_to_stop_is_on_the_board_and_kept(open_site: Site) -> None:
    async def act() -> None:
        async with plugged_in(open_site.hub.url, "LIFE-1") as box:
            booted = await box.boot(firmware_version="1.2", charge_point_serial_number="S-9")
            assert (booted.status, booted.interval) == ("Accepted", 300)
            await box.status("Available", at=BEGAN)
            assert (await box.ask(call.Authorize(id_tag=TAG))).id_tag_info == {"status": "Accepted"}
            started = await box.begin(TAG, wh=5000, at=BEGAN)
            assert started.id_tag_info == {"status": "Accepted"}
            await box.status("Charging")
            await box.measure(energy(6.5, "kWh"), power(7.2, "kW"), at=BEGAN + timedelta(hours=1))
            shown = await in_thread(lambda: open_site.charger("LIFE-1"))
            assert (shown["statusConector"], shown["usuarioAtual"]) == ("Charging", "Ana Souza")
            ended = await box.end(
                started.transaction_id, wh=12_400, at=BEGAN + timedelta(hours=2), reason="EVDisconnected", id_tag=TAG
            )
            assert ended.id_tag_info == {"status": "Accepted"}
            assert (await box.ask(call.Heartbeat())).current_time

    run(act)
    (session,) = open_site.sessions("LIFE-1")
    assert session["id"].startswith("ocpp-")
    assert (session["energy_mwh"], session["stop_reason"], session["tag"]) == (7_400_000, "EVDisconnected", TAG)
    wait_until(lambda: not open_site.station("LIFE-1")["connected"], what="the end of its connection")
    told = open_site.station("LIFE-1")["boot"]
    assert (told["firmware"], told["serial"]) == ("1.2", "S-9")


@pytest.mark.parametrize(
    ("tag", "worth"), [(TAG, "Accepted"), ("04:a2-1b 3c", "Accepted"), (BLOCKED_TAG, "Blocked"), ("UNKNOWN", "Invalid")]
)
def test_a_tag_is_worth_what_the_residents_list_says(tag: str, worth: str, open_site: Site) -> None:
    async def act() -> None:
        async with plugged_in(open_site.hub.url, "TAGS-1") as box:
            assert (await box.ask(call.Authorize(id_tag=tag))).id_tag_info["status"] == worth

    run(act)


def test_what_else_it_may_say_is_taken_or_answered_as_the_protocol_has_it(open_site: Site) -> None:
    async def act() -> None:
        async with plugged_in(open_site.hub.url, "WORDS-1") as box:
            answer = await box.ask(call.DataTransfer(vendor_id="org.example", data="x"))
            assert answer.status == "UnknownVendorId"
            await box.ask(call.FirmwareStatusNotification(status="Installed"))
            await box.ask(call.DiagnosticsStatusNotification(status="Idle"))
            with pytest.raises(OcppNotImplemented):
                await box.call(call.SignCertificate(csr="x"), suppress=False)
            with pytest.raises(ProtocolError):
                await box.call(call.Authorize(id_tag=None), suppress=False, skip_schema_validation=True)
            for text in ("no json", "[]", "{}", '[2,["x"],{},{}]', '[2,"1",{},{}]', "[9]", '[3,"nobody asked",{}]'):
                await box.connection.send(text)
            assert (await box.ask(call.Heartbeat())).current_time  # it still listens

    run(act)


@pytest.mark.parametrize("meter", [10**13, 10**30])
def test_figures_that_cannot_be_are_an_error_and_no_session(meter: int, open_site: Site) -> None:
    async def act() -> None:
        async with plugged_in(open_site.hub.url, "WILD-1") as box:
            with pytest.raises(OCPPError):
                await box.begin(TAG, wh=meter, at=BEGAN)

    run(act)
    assert open_site.sessions("WILD-1") == []


def test_a_fault_is_an_incident_that_ends_with_it(open_site: Site) -> None:
    def incidents() -> list[str]:
        found = open_site.admin.items("/api/incidents?state=open")
        return [each["title"] for each in found if "FAULTY-1" in each["title"]]

    async def act() -> None:
        async with plugged_in(open_site.hub.url, "FAULTY-1") as box:
            await box.status("Faulted", error="GroundFailure")
            assert await in_thread(incidents) == ["Charger faulted: FAULTY-1"]
            await box.status("Available")
            assert await in_thread(incidents) == []

    run(act)


def test_a_second_connection_takes_the_place_of_the_first(open_site: Site) -> None:
    async def act() -> None:
        async with (
            plugged_in(open_site.hub.url, "TWICE-1") as first,
            plugged_in(open_site.hub.url, "TWICE-1") as second,
        ):
            await asyncio.wait_for(first.connection.wait_closed(), 60)
            await second.status("Available")
            assert (await in_thread(lambda: open_site.station("TWICE-1")))["connected"] is True
        await in_thread(
            lambda: wait_until(lambda: not open_site.station("TWICE-1")["connected"], what="it is seen to be gone")
        )

    run(act)


COMMANDS: tuple[tuple[dict[str, Any], Any, str], ...] = (
    ({"action": "start", "connector": 1, "tag": TAG}, ("start", {"id_tag": TAG, "connector_id": 1}), "Accepted"),
    ({"action": "unlock", "connector": 1}, ("unlock", {"connector_id": 1}), "Unlocked"),
    ({"action": "soft_reset"}, ("reset", {"type": "Soft"}), "Accepted"),
    ({"action": "hard_reset"}, ("reset", {"type": "Hard"}), "Accepted"),
    ({"action": "enable", "connector": 1}, ("availability", {"connector_id": 1, "type": "Operative"}), "Accepted"),
    ({"action": "disable"}, ("availability", {"connector_id": 0, "type": "Inoperative"}), "Accepted"),
)


@pytest.mark.parametrize(("order", "asked", "answer"), COMMANDS, ids=[str(each[0]["action"]) for each in COMMANDS])
def test_a_command_reaches_it_and_its_answer_comes_back(
    order: dict[str, Any], asked: Any, answer: str, open_site: Site
) -> None:
    async def act() -> None:
        async with plugged_in(open_site.hub.url, "OBEYS-1") as box:
            await box.status("Available")
            told = await in_thread(lambda: open_site.command("OBEYS-1", **order))
            assert (told.status, told.json["state"], told.json["answer"]) == (200, "answered", answer)
            assert box.asked == [asked]

    run(act)


def test_a_remote_stop_names_the_transaction_and_a_refusal_is_told(open_site: Site) -> None:
    async def act() -> None:
        async with plugged_in(open_site.hub.url, "STOPS-1") as box:
            await box.status("Available")
            nothing = await in_thread(lambda: open_site.command("STOPS-1", action="stop", connector=1))
            assert nothing.status == 409
            number = (await box.begin(TAG, wh=0, at=datetime.now(UTC))).transaction_id
            box.answers["stop"] = "Rejected"
            told = await in_thread(lambda: open_site.command("STOPS-1", action="stop", connector=1))
            assert (told.json["answer"], box.asked) == ("Rejected", [("stop", {"transaction_id": number})])
            await box.end(number, wh=0, at=datetime.now(UTC))

    run(act)


def test_who_is_not_connected_can_be_asked_for_nothing(open_site: Site) -> None:
    async def act() -> None:
        async with plugged_in(open_site.hub.url, "AWAY-1") as box:
            await box.boot()

    run(act)
    wait_until(lambda: not open_site.station("AWAY-1")["connected"], what="it is seen to be gone")
    refused = open_site.command("AWAY-1", action="soft_reset")
    assert (refused.status, refused.json["error"]["code"]) == (409, "conflict")
    assert open_site.command("NOBODY", action="soft_reset").status == 404
    assert open_site.command("AWAY-1", action="drop").status == 422
    assert open_site.hub.client("read").post("/api/cvepro/chargers/AWAY-1/commands", {"action": "stop"}).status == 403


def test_alone_without_the_vendors_cloud_nothing_is_amiss(open_site: Site) -> None:
    async def act() -> None:
        async with plugged_in(open_site.hub.url, "ALONE-1") as box:
            await box.status("Available")

    run(act)
    health = Client(open_site.hub.url).get("/health")
    assert (health.status, health.json["checks"]["cveApi"]) == (200, True)
    assert "stale" not in open_site.admin.get("/api/dashboard/chargers").json


def test_one_that_nobody_knows_waits_until_it_is_let_in(hub: Hub) -> None:
    site = Site(hub, with_residents(hub))

    async def act() -> None:
        async with plugged_in(hub.url, "NEW-1") as box:
            assert (await box.boot()).status == "Pending"
            with pytest.raises(SecurityError):
                await box.begin(TAG, wh=0, at=BEGAN)
            assert (await in_thread(lambda: site.station("NEW-1")))["standing"] == "pending"
            assert await in_thread(lambda: site.charger("NEW-1")) is None
        assert await refusal(hub.url, "not%20a%20box") == 404

    run(act)
    assert site.sessions("NEW-1") == []


def test_where_nobody_new_is_wanted_it_is_rejected_and_not_kept(make_hub: MakeHub) -> None:
    hub = make_hub(env={"ATALAIA_CVEPRO_OCPP_ADMISSION": "closed"}).start()

    async def act() -> None:
        async with plugged_in(hub.url, "NEW-1") as box:
            assert (await box.boot()).status == "Rejected"
            with pytest.raises(SecurityError):
                await box.status("Available")

    run(act)
    assert hub.client("admin").get("/api/cvepro/stations").json["items"] == []


def test_a_stop_tells_fifty_of_them_and_takes_no_two_seconds(make_hub: MakeHub) -> None:
    hub = make_hub(env={"ATALAIA_CVEPRO_OCPP_ADMISSION": "open"}).start()

    async def act() -> None:
        async with AsyncExitStack() as stack:
            boxes: list[Box] = [await stack.enter_async_context(plugged_in(hub.url, f"B-{n}")) for n in range(50)]
            await asyncio.gather(*(box.boot() for box in boxes))
            watch = Stopwatch()
            await in_thread(hub.stop)
            assert watch.took_s < 2 + watch.late_s, watch.took_s
            for box in boxes:
                await asyncio.wait_for(box.connection.wait_closed(), 60)
            assert {box.connection.close_code for box in boxes} == {1001}

    run(act)


def test_a_start_whose_answer_a_kill_took_away_is_one_session(hub_open: Hub) -> None:
    """It is killed when the start is committed and not answered, as far as that can be met: at many moments around it."""
    numbers: set[int] = set()

    async def begin_and_kill(delay_s: float) -> None:
        async with plugged_in(hub_open.url, "KILLED-1") as box:
            asking = asyncio.ensure_future(box.begin(TAG, wh=1000, at=BEGAN))
            await asyncio.sleep(delay_s)
            await in_thread(hub_open.kill)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def again() -> None:
        async with plugged_in(hub_open.url, "KILLED-1") as box:
            numbers.add((await box.begin(TAG, wh=1000, at=BEGAN)).transaction_id)

    for delay_s in (0.004, 0.02):
        run(partial(begin_and_kill, delay_s))
        hub_open.start()
        run(again)
    assert len(numbers) == 1
    assert len(sessions_of(hub_open, "KILLED-1")) == 1


@pytest.fixture
def hub_open(make_hub: MakeHub) -> Hub:
    return make_hub(env={"ATALAIA_CVEPRO_OCPP_ADMISSION": "open"}).start()


def test_any_of_two_hubs_commands_it_and_it_may_come_back_at_the_other(
    make_hub: MakeHub, new_database: Callable[[], str]
) -> None:
    url, env = new_database(), {"ATALAIA_CVEPRO_OCPP_ADMISSION": "open"}
    first, second = (make_hub(database_url=url, env=env).start() for _ in range(2))
    there = Client(second.url, first.client("admin").key)

    async def act() -> None:
        async with plugged_in(first.url, "BOTH-1") as box:
            await box.status("Available")
            started = await box.begin(TAG, wh=100, at=BEGAN)
            told = await in_thread(lambda: there.post("/api/cvepro/chargers/BOTH-1/commands", {"action": "soft_reset"}))
            assert (told.status, told.json["answer"]) == (200, "Accepted")
            async with plugged_in(second.url, "BOTH-1") as moved:
                again = await moved.begin(TAG, wh=100, at=BEGAN)
                assert again.transaction_id == started.transaction_id
                await moved.end(again.transaction_id, wh=900, at=BEGAN + timedelta(hours=1))
                told = await in_thread(
                    lambda: there.post("/api/cvepro/chargers/BOTH-1/commands", {"action": "hard_reset"})
                )
                assert (told.json["answer"], moved.asked[-1][0]) == ("Accepted", "reset")

    run(act)
    (session,) = sessions_of(first, "BOTH-1")
    assert session["energy_mwh"] == 800_000
