"""The live part that is made once for many: each sees what they may, in their own words, and nothing of anybody else."""

import html
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from atalaia_simulators.cvepro import InThread, Options
from tests.acceptance.calls import Client
from tests.acceptance.conftest import MakeHub
from tests.acceptance.hub import PASSWORD, Hub
from tests.acceptance.test_charging import SETTINGS, settings_for
from tests.acceptance.visitor import Visitor
from tests.servers import wait_until

PART = "/cvepro/cards"
AN_EVENING = datetime(2026, 3, 4, 22, 30, tzinfo=UTC).timestamp()  # 19:30 there: many charge
# Role, language, whether names may be seen, and a word of the part in that language.
PEOPLE = (
    ("CLIENT", "en", False, "Power up to"),
    ("ADMIN", "en", True, "Power up to"),
    ("CLIENT", "pt-BR", False, "Potência até"),
    ("MANAGER", "pt-BR", True, "Potência até"),
    ("COLLABORATOR", "en", False, "Power up to"),
)


@pytest.fixture
def vendor() -> Iterator[InThread]:
    given: dict[str, Any] = {name.lower(): value for name, value in SETTINGS.items()}
    simulator = InThread(Options(**given, now=lambda: AN_EVENING))
    simulator.start()
    yield simulator
    simulator.close()


@pytest.fixture
def hub(make_hub: MakeHub, vendor: InThread) -> Hub:
    # A reading that hangs about for the whole test: all who look ask for the same version of the part.
    hub = make_hub(env=settings_for(vendor.url, POLL_S="3600", SESSIONS_EVERY_S="3600")).start()
    reader = hub.client("read")

    def is_read() -> bool:
        return any(each["usuarioAtual"] for each in reader.get("/api/dashboard/chargers").json["data"])

    wait_until(is_read, what="the first reading, with sessions")
    return hub


def viewers(hub: Hub) -> list[Visitor]:
    made = []
    for n, (role, language, *_) in enumerate(PEOPLE):
        email = f"somebody{n}@example.org"
        options = ["--role", role, "--name", f"Somebody {n}", "--password-stdin"]
        done = hub.cli("user", "create", email, *options, stdin=PASSWORD + "\n")
        assert done.returncode == 0, done.stderr
        made.append(Visitor(hub.url, language=language))
        made[-1].sign_in(email, PASSWORD)
    return made


def names_of(vendor: InThread) -> set[str]:
    """Of residents, as the vendor tells them."""
    login: Any = Client(vendor.url).request(
        "POST",
        "/api/v1/login",
        body=b'{"email": "%s", "password": "%s"}' % (SETTINGS["EMAIL"].encode(), SETTINGS["PASSWORD"].encode()),
        headers={"Api-Key": SETTINGS["API_KEY"]},
    )
    told = Client(vendor.url).request("GET", "/api/v1/chargepoints", headers={"Authorization": login.json["token"]})
    plugs = [plug for each in told.json["chargePointList"] for plug in each["connectors"]]
    return {name for plug in plugs if (name := plug["currentChargingUserName"])}


def test_each_sees_what_they_may_in_their_own_words_whoever_asked_before(hub: Hub, vendor: InThread) -> None:
    names, people = names_of(vendor), viewers(hub)
    assert names
    for looking in (list(zip(people, PEOPLE, strict=True)), list(zip(people, PEOPLE, strict=True))[::-1]):
        for visitor, (role, _, may_see, word) in looking:
            status, part = visitor.page(PART)
            assert status == 200
            part = html.unescape(part)
            assert word in part
            seen = {name for name in names if name in part}
            assert seen == (names if may_see else set()), role
            assert "Somebody" not in part
            assert "csrf" not in part


def test_a_filter_in_the_address_is_a_part_of_its_own(hub: Hub) -> None:
    hub.make_admin()
    visitor = Visitor(hub.url)
    visitor.sign_in("admin@example.org", PASSWORD)
    every = visitor.page(PART)[1]
    charging = visitor.page(f"{PART}?state=charging")[1]
    assert 0 < charging.count("data-key=") < every.count("data-key=") == 20


def test_who_has_signed_out_or_never_was_in_gets_nothing_of_it(hub: Hub) -> None:
    hub.make_admin()
    visitor = Visitor(hub.url)
    visitor.sign_in("admin@example.org", PASSWORD)
    assert "data-key=" in visitor.page(PART)[1]
    assert "data-key=" not in Visitor(hub.url).page(PART)[1]
    visitor.submit("/", {}, to="/sign-out")
    assert "data-key=" not in visitor.page(PART)[1]
