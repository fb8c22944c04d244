"""The history of sessions from a date on, some days at a time.

What is read and how far that got are one commit: nothing is lost, and little read twice, when a hub ends in the middle.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from msgspec.structs import replace

from atalaia.core.errors import AtalaiaError, Conflict, InvalidField, NotFound
from atalaia.core.ids import new_id
from atalaia.core.permissions import Principal
from atalaia.core.redaction import scrub
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.cloud.client import Cloud
from atalaia.integrations.cvepro.cloud.reading import SESSIONS_TOPIC
from atalaia.integrations.cvepro.cloud.translate import read_sessions
from atalaia.integrations.cvepro.manifest import is_configured
from atalaia.integrations.cvepro.model.imports import LONGEST_DAYS, Import, ImportState
from atalaia.integrations.cvepro.queries import imports
from atalaia.integrations.cvepro.service.keeping import keep_sessions
from atalaia.sdk.contribution import Loop
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx

TOPIC: Final = "cvepro_imports"
PERIOD_S: Final = 1.0
_FIRST_PAUSE_S: Final = 2.0
_LONGEST_PAUSE_S: Final = 60.0


class Importing:
    """`is_well`: whether the cloud answers at all just now; an import waits for it and asks nothing besides."""

    def __init__(self, host: Host, cloud: Cloud, is_well: Callable[[], bool]) -> None:
        self._host = host
        self._cloud = cloud
        self._is_well = is_well
        self._failures = 0
        self._rests_until = 0.0  # monotonic

    def loop(self) -> Loop:
        return Loop("cvepro_imports", PERIOD_S, self.step)

    async def newest(self) -> Sequence[Import]:
        return await self._host.read(imports.newest)

    async def begin(self, first: date, *, by: Principal, client: str | None) -> Import:
        """From that local day until today. Raises: InvalidField, Conflict: one is under way."""
        now = self._host.clock.now()
        today = now.astimezone(self._cloud.zone).date()
        if not 0 <= (today - first).days < LONGEST_DAYS:
            raise InvalidField("from", N_("a day of the last ten years, and not in the future"))
        new = Import(
            id=new_id(),
            first_day=first,
            last_day=today,
            next_day=first,
            state=ImportState.RUNNING,
            asked_by=by.name,
            created_at=now,
            updated_at=now,
        )

        def unit(tx: Tx) -> None:
            if imports.running(tx) is not None:
                raise Conflict(N_("An import is under way already."))
            imports.add(tx, new)
            self._host.audit(
                tx,
                by=by,
                action="cvepro.import_begun",
                target=f"cvepro_import:{new.id}",
                client=client,
                first=first.isoformat(),
            )
            tx.publish(TOPIC)

        await self._host.write(unit)
        return new

    async def set_state(self, id: str, state: ImportState, *, by: Principal, client: str | None) -> Import:
        """Stop it, or go on where it stopped. Raises: NotFound, Conflict."""

        def unit(tx: Tx) -> Import:
            found = imports.find(tx, id)
            if found is None:
                raise NotFound(N_("There is no such import."))
            if found.state is ImportState.DONE:
                raise Conflict(N_("This import is done."))
            running = imports.running(tx)
            if state is ImportState.RUNNING and running is not None and running.id != id:
                raise Conflict(N_("An import is under way already."))
            changed = replace(found, state=state, error=None, updated_at=self._host.clock.now())
            imports.keep(tx, changed)
            action = f"cvepro.import_{'resumed' if state is ImportState.RUNNING else 'stopped'}"
            self._host.audit(tx, by=by, action=action, target=f"cvepro_import:{id}", client=client)
            tx.publish(TOPIC)
            return changed

        return await self._host.write(unit)

    async def step(self) -> None:
        """The next days of the import that is under way, if there is one."""
        if not is_configured(self._host.setting) or self._host.clock.monotonic() < self._rests_until:
            return
        under_way = await self._host.read(imports.running)
        if under_way is None or not self._is_well():
            return
        try:
            await self._read(under_way)
        except AtalaiaError as error:
            await self._failed(under_way, error)
            return
        self._failures = 0

    async def _read(self, under_way: Import) -> None:
        listed = await self._cloud.sessions(*under_way.step)
        read = read_sessions(listed.items, zone=self._cloud.zone)
        now = self._host.clock.now()

        def unit(tx: Tx) -> None:
            current = imports.find(tx, under_way.id)
            if current is None or current.state is not ImportState.RUNNING or current.next_day != under_way.next_day:
                return  # stopped meanwhile
            changed = keep_sessions(tx, read.sessions, now=now)
            found = len({each.id for each in read.sessions})
            imports.keep(tx, current.stepped(found=found, changed=changed, now=now))
            tx.publish(TOPIC)
            tx.publish(SESSIONS_TOPIC)

        await self._host.write(unit)

    async def _failed(self, under_way: Import, error: AtalaiaError) -> None:
        pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        self._rests_until = self._host.clock.monotonic() + pause_s

        def unit(tx: Tx) -> None:
            current = imports.find(tx, under_way.id)
            if current is not None and current.state is ImportState.RUNNING:
                imports.keep(tx, replace(current, error=scrub(str(error)), updated_at=self._host.clock.now()))
                tx.publish(TOPIC)

        await self._host.write(unit)
