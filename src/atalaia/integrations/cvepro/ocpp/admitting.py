"""Stations: who is let in, with which password, and who is forgotten."""

import secrets
from typing import Final

from atalaia.core.errors import Conflict, NotFound
from atalaia.core.permissions import Principal
from atalaia.core.redaction import Secret
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.stations import Admission, Station, read_box_id
from atalaia.integrations.cvepro.ocpp.book import Book
from atalaia.integrations.cvepro.ocpp.central import STATIONS_TOPIC, digest
from atalaia.integrations.cvepro.ocpp.commanding import Commanding
from atalaia.integrations.cvepro.queries import stations
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx, Unit

# OCPP's security whitepaper: 16 to 40 bytes, which a charge point may show and take as hexadecimal digits.
_PASSWORD_BYTES: Final = 20


class Admitting:
    def __init__(self, host: Host, commanding: Commanding, book: Book) -> None:
        self._host = host
        self._book = book
        self._commanding = commanding

    async def all_of_them(self) -> list[Station]:
        return await self._host.read(stations.all_of_them)

    async def find(self, box_id: str) -> Station:
        """Raises: NotFound."""
        return await self._host.read(lambda tx: _known(tx, box_id))

    async def add(self, box_id: str, *, by: Principal, client: str | None) -> Secret:
        """One that has not called yet; its password. Raises: InvalidField, Conflict: it is known."""
        name, password = read_box_id(box_id), _new_password()
        now = self._host.clock.now()

        def unit(tx: Tx) -> None:
            if stations.find(tx, name) is not None:
                raise Conflict(N_("There is a station with this id."))
            stations.add(tx, name, Admission.ADMITTED, by=by.name, now=now)
            stations.set_password(tx, name, digest(password.reveal()))
            self._note(tx, "cvepro.station_added", name, by=by, client=client)

        await self._host.write(unit)
        return password

    async def admit(self, box_id: str, *, with_password: bool, by: Principal, client: str | None) -> Secret | None:
        """Its password, where it gets one: it is needed from its next connection on. Raises: NotFound."""
        password = _new_password() if with_password else None
        sha256 = digest(password.reveal()) if password else None

        def unit(tx: Tx) -> None:
            self._decide(tx, box_id, Admission.ADMITTED, by=by, client=client)
            stations.set_password(tx, box_id, sha256)

        await self._change(unit)
        return password

    async def renew_password(self, box_id: str, *, by: Principal, client: str | None) -> Secret:
        """Raises: NotFound."""
        password = _new_password()

        def unit(tx: Tx) -> None:
            _known(tx, box_id)
            stations.set_password(tx, box_id, digest(password.reveal()))
            self._note(tx, "cvepro.station_password", box_id, by=by, client=client)

        await self._host.write(unit)
        return password

    async def refuse(self, box_id: str, *, by: Principal, client: str | None) -> None:
        """Raises: NotFound."""

        def unit(tx: Tx) -> None:
            self._decide(tx, box_id, Admission.REFUSED, by=by, client=client)
            self._book.end_faults(tx, box_id)
            self._commanding.drop(tx, box_id, by=by)

        await self._change(unit)

    async def forget(self, box_id: str, *, by: Principal, client: str | None) -> None:
        """Its sessions stay. Raises: NotFound."""

        def unit(tx: Tx) -> None:
            _known(tx, box_id)
            stations.forget(tx, box_id)
            self._book.end_faults(tx, box_id)
            self._commanding.drop(tx, box_id, by=by)
            self._note(tx, "cvepro.station_forgotten", box_id, by=by, client=client)

        await self._change(unit)

    async def _change(self, unit: Unit[None]) -> None:
        await self._host.write(unit)
        self._commanding.wake()

    def _decide(self, tx: Tx, box_id: str, standing: Admission, *, by: Principal, client: str | None) -> None:
        _known(tx, box_id)
        stations.decide(tx, box_id, standing, by=by.name, now=self._host.clock.now())
        self._note(tx, f"cvepro.station_{standing}", box_id, by=by, client=client)

    def _note(self, tx: Tx, action: str, box_id: str, *, by: Principal, client: str | None) -> None:
        self._host.audit(tx, by=by, action=action, target=box_id, client=client)
        tx.publish(STATIONS_TOPIC)
        tx.publish("cvepro")


def _known(tx: Tx, box_id: str) -> Station:
    """Raises: NotFound."""
    found = stations.find(tx, box_id)
    if found is None:
        raise NotFound(N_("There is no such station."))
    return found


def _new_password() -> Secret:
    return Secret(secrets.token_hex(_PASSWORD_BYTES))
