"""The night of the 502, whole: the page stays, WhatsApp and e-mail tell once, it comes back by itself; one incident, its post-mortem."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from atalaia_simulators.cvepro import InThread, Options
from atalaia_simulators.evolution import DEFAULT_INSTANCE, DEFAULT_KEY
from atalaia_simulators.evolution import InThread as EvolutionInThread
from tests.acceptance.calls import Client
from tests.acceptance.conftest import MakeHub
from tests.acceptance.hub import Hub
from tests.acceptance.mailbox import Letter, Post
from tests.acceptance.test_charging import SETTINGS, settings_for
from tests.acceptance.visitor import Visitor
from tests.servers import wait_until
from tests.stopwatch import Stopwatch
from tests.unit.simulators.evolution.phone import Phone

# The sessions' list is asked again once the chargers are back, and has as long to answer until it is told of, too.
POLL_S, ALERT_AFTER_S, OUTAGE_S = 1.0, 6.0, 12.0
LOOK_S = 0.1
NUMBER = "5511912345678"
TITLE = "Não é possível ler os carregadores: CVE-Pro"


@dataclass
class Night:
    hub: Hub
    vendor: Client
    phone: Phone
    post: Post
    client: Client

    def fault(self, **faults: Any) -> None:
        assert self.vendor.post("/_sim/faults", faults).status == 200

    def dashboard(self) -> Any:
        answer = self.client.get("/api/dashboard/chargers")
        assert answer.status == 200
        return answer.json

    def is_well(self) -> bool:
        found = self.dashboard()
        return "stale" not in found and len(found["data"]) == 20

    def whatsapp(self, word: str) -> list[Any]:
        return [each for each in self.phone.messages() if word in each["text"]]

    def mails(self, word: str) -> list[Letter]:
        return [each for each in self.post.letters if word in each.subject]


@pytest.fixture
def vendor() -> Iterator[InThread]:
    given: dict[str, Any] = {name.lower(): value for name, value in SETTINGS.items()}
    simulator = InThread(Options(**given))
    simulator.start()
    yield simulator
    simulator.close()


@pytest.fixture
def phone() -> Iterator[Phone]:
    simulator = EvolutionInThread()
    simulator.start()
    yield Phone(simulator.url)
    simulator.close()


@pytest.fixture
def post() -> Iterator[Post]:
    with Post().open() as post:
        yield post


@pytest.fixture
def night(make_hub: MakeHub, vendor: InThread, phone: Phone, post: Post) -> Night:
    env = settings_for(vendor.url, SESSIONS_EVERY_S=str(POLL_S), ALERT_AFTER_S=str(ALERT_AFTER_S)) | {
        "ATALAIA_EVOLUTION_BASE_URL": phone.url,
        "ATALAIA_EVOLUTION_API_KEY": DEFAULT_KEY,
        "ATALAIA_EVOLUTION_INSTANCE": DEFAULT_INSTANCE,
    }
    hub = make_hub(env=env).start()
    admin = hub.client("admin")
    for channel in (
        {"name": "plantão", "kind": "whatsapp", "locale": "pt-BR", "fields": {"numbers": [f"+{NUMBER}"]}},
        {"name": "correio", "kind": "email", "locale": "pt-BR", **post.channel},
    ):
        made = admin.made("/api/channels", channel)
        admin.made("/api/routes", {"channel": made["id"], "group_wait_s": 0})
    found = Night(hub, Client(vendor.url), phone, post, hub.client("read"))
    wait_until(found.is_well, what="the first reading")
    return found


def test_the_night_of_the_502_with_whatsapp_and_mail(night: Night) -> None:
    hub = night.hub
    person = Visitor(hub.url, language="pt-BR")
    person.sign_in(*hub.make_admin())
    began, started, watch = time.monotonic(), time.time(), Stopwatch()
    night.fault(login_status=502, expire_token=True)
    watch_the_page(night, person, until=began + OUTAGE_S)
    wait_until(lambda: bool(night.whatsapp(TITLE)) and bool(night.mails(TITLE)), what="both are told")

    # The first reading that fails is within an interval of the fault.
    latest_s = POLL_S + ALERT_AFTER_S + POLL_S + 1 + watch.late_s
    (message,), (letter,) = night.whatsapp(TITLE), night.mails(TITLE)
    assert message["number"] == NUMBER
    assert ALERT_AFTER_S - 0.5 <= message["at"] - started <= latest_s
    assert ALERT_AFTER_S - 0.5 <= letter.at - began <= latest_s
    assert "502" in message["text"]
    assert "502" in letter.text

    night.fault(login_status=None)
    watch = Stopwatch()
    wait_until(night.is_well, what="it is back")
    assert watch.took_s <= POLL_S + 1 + watch.late_s
    wait_until(lambda: len(night.whatsapp("Recuperado")) == 1, what="WhatsApp says so")
    wait_until(lambda: len(night.mails("Recuperado")) == 1, what="and the mail")
    assert (len(night.phone.messages()), len(night.post.letters)) == (2, 2), night.phone.texts()
    its_one_incident(night, person)


def watch_the_page(night: Night, person: Visitor, *, until: float) -> None:
    """A resident's dashboard and the page are there all the time, with all chargers and the age of what they show."""
    was_stale = False
    while time.monotonic() < until:
        status, page = person.page("/cvepro")
        assert status == 200
        assert page.count("data-key=") == 20
        found = night.dashboard()
        was_stale = was_stale or bool(found.get("stale"))
        assert len(found["data"]) == 20
        time.sleep(LOOK_S)  # a look at the page is no load test
    assert was_stale
    _, page = person.page("/cvepro")
    assert 'data-line="down"' in page
    assert "Offline desde" in page
    assert "Dados de" in page


def its_one_incident(night: Night, person: Visitor) -> None:
    (incident,) = night.client.items("/api/incidents")
    assert incident["resolved_at"]

    def kinds() -> list[str]:
        return [event["kind"] for event in night.client.get(f"/api/incidents/{incident['id']}").json["timeline"]]

    # Two channels, twice; who got it has it a moment before it is on record.
    wait_until(lambda: kinds().count("message_delivered") == 4, what="all four are on record")
    found = kinds()
    assert (found[0], found.count("opened"), found.count("recovered")) == ("opened", 1, 1)
    assert f"/api/incidents/{incident['id']}/post-mortem" in person.page(f"/incidents/{incident['id']}")[1]
    status, text = person.page(f"/api/incidents/{incident['id']}/post-mortem")
    assert status == 200
    assert text.startswith(f"# {TITLE}")
    assert "502" in text
    assert text.count("**Mensagem entregue**") == 4
    assert "**Recuperou-se sozinho**" in text
    assert "## Impacto" in text
