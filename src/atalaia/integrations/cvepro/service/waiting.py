"""A resident who wants to be told when a charger is free."""

from collections.abc import Sequence

from atalaia.core.errors import InvalidField, NotFound
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.notices import NoticeKind
from atalaia.integrations.cvepro.model.residents import Resident
from atalaia.integrations.cvepro.queries import chargers, waits
from atalaia.integrations.cvepro.queries.waits import Wait
from atalaia.integrations.cvepro.service.notices import wants
from atalaia.integrations.cvepro.service.residents import TOPIC
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx

ANY = ""  # of all chargers whichever is free first


def waits_of(tx: Tx, resident: Resident) -> Sequence[Wait]:
    return waits.of_resident(tx, resident.id)


def wait(host: Host, tx: Tx, resident: Resident, charger_key: str) -> None:
    """Whoever asked first is told first; asking again keeps the place. Raises: InvalidField, NotFound."""
    if not wants(resident, NoticeKind.CHARGER_FREE):
        raise InvalidField("charger", N_("Switch the notice on first: without it nobody can tell you."))
    if charger_key != ANY and (not charger_key.isprintable() or chargers.one(tx, charger_key) is None):
        raise NotFound(N_("There is no such charger."))
    waits.add(tx, resident.id, charger_key, at=host.clock.now())
    tx.publish(TOPIC)


def stop_waiting(tx: Tx, resident: Resident, charger_key: str) -> None:
    if charger_key.isprintable():
        waits.drop(tx, resident.id, charger_key)
        tx.publish(TOPIC)
