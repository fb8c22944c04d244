"""What an integration reports as wrong becomes an incident, and ends with it."""

import pytest

from atalaia.notify.model.notice import NoticeKind
from atalaia.notify.model.severity import Severity
from atalaia.sdk.faults import FaultEnded, FaultReport, FaultReported
from atalaia.watch.handlers import Handlers
from atalaia.watch.model.titles import shown_title
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.watch_house import House

SUBJECT = "integration:ferry:boat:7"
FAULT = FaultReport(
    key="boat:7",
    title="A boat is adrift",
    name="Rosa: 7",
    reason="No engine",
    severity="warning",
    labels={"boat": "Rosa"},
    runbook="Throw a line.",
)


@pytest.fixture
def house(make_store: MakeStore, clock: FakeClock) -> House:
    return House(make_store("watch"), clock)


@pytest.fixture
def handlers(house: House) -> Handlers:
    return Handlers(house.results, house.fleet_watch, house.incidents, clock=house.clock)


def test_a_reported_fault_opens_one_incident_that_ends_when_it_is_well_again(house: House, handlers: Handlers) -> None:
    for _ in range(2):
        house.store.write_now(lambda tx: handlers.fault_reported(tx, FaultReported(subject=SUBJECT, fault=FAULT)))
    (incident,) = house.open_incidents()
    assert (incident.title, incident.severity, incident.reason, incident.labels) == (
        "A boat is adrift: Rosa: 7",
        Severity.WARNING,
        "No engine",
        {"boat": "Rosa"},
    )
    house.store.write_now(lambda tx: handlers.fault_ended(tx, FaultEnded(subject=SUBJECT)))
    house.store.write_now(lambda tx: handlers.fault_ended(tx, FaultEnded(subject=SUBJECT)))
    assert house.open_incidents() == []
    assert [notice.kind for notice in house.told] == [NoticeKind.OPENED, NoticeKind.RECOVERED]
    assert house.told[0].incident.runbook == "Throw a line."


def test_its_title_is_shown_in_the_readers_language(house: House, handlers: Handlers) -> None:
    house.store.write_now(lambda tx: handlers.fault_reported(tx, FaultReported(subject=SUBJECT, fault=FAULT)))
    words = {"A boat is adrift": "Um barco está à deriva"}
    (incident,) = house.open_incidents()
    assert shown_title(incident, lambda text, **_: words.get(text, text)) == "Um barco está à deriva: Rosa: 7"
