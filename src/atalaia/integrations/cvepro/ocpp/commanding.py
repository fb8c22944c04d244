"""Commands to charge points: given at any hub, through the store to the one that has the line, answered by the charge point."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import structlog

from atalaia.core.errors import Conflict, InvalidField, NotFound
from atalaia.core.ids import new_id
from atalaia.core.permissions import Principal
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.chargers import Charger
from atalaia.integrations.cvepro.model.commands import ENDED, LIFE_S, Action, Command, CommandState
from atalaia.integrations.cvepro.model.residents import LONGEST_TAG, tag_key
from atalaia.integrations.cvepro.ocpp.central import Central
from atalaia.integrations.cvepro.queries import chargers, commands, stations, transactions
from atalaia.sdk.contribution import Loop
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx

COMMANDS_TOPIC: Final = "cvepro_commands"
LOOK_S: Final = 1.0
_POLL_S: Final = 0.3
_TAG_LENGTH: Final = 20  # OCPP 1.6, 7.28: CiString20
_WITH_CONNECTOR: Final = frozenset({Action.START, Action.STOP, Action.UNLOCK})

log = structlog.get_logger()


class Commanding:
    def __init__(self, host: Host, central: Central) -> None:
        self._host = host
        self._central = central
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def loop(self) -> Loop:
        return Loop("cvepro_commands", LOOK_S, self.look, leader_only=False, wake=self._wake)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def give(
        self, key: str, action: Action, given: Mapping[str, Any], *, by: Principal, client: str | None
    ) -> Command:
        """It waits for the hub that has the line. Raises: NotFound, Conflict (not connected), InvalidField."""
        now = self._host.clock.now()

        def unit(tx: Tx) -> Command:
            box_id = _connected(tx, key).box_id or key
            new = Command(
                id=new_id(),
                box_id=box_id,
                action=action,
                arguments=_arguments(tx, box_id, action, given),
                asked_by=by.name,
                asked_at=now,
                expires_at=now + timedelta(seconds=LIFE_S),
            )
            commands.add(tx, new)
            details = {name: value for name, value in new.arguments.items() if name != "tag"}
            self._host.audit(
                tx, by=by, action="cvepro.command", target=box_id, client=client, command=str(action), **details
            )
            tx.publish(COMMANDS_TOPIC, box_id)
            return new

        made = await self._host.write(unit)
        self._wake.set()
        return made

    def drop(self, tx: Tx, box_id: str, *, by: Principal) -> None:
        """Have its line closed, wherever it is."""
        now = self._host.clock.now()
        expires_at = now + timedelta(seconds=LIFE_S)
        commands.add(
            tx,
            Command(
                id=new_id(), box_id=box_id, action=Action.DROP, asked_by=by.name, asked_at=now, expires_at=expires_at
            ),
        )

    async def ended(self, id: str, *, within_s: float) -> Command:
        """As it stands then. Raises: NotFound."""
        until = self._host.clock.monotonic() + within_s
        while True:
            found = await self._host.read(lambda tx: commands.find(tx, id))
            if found is None:
                raise NotFound(N_("There is no such command."))
            if found.standing(self._host.clock.now()) in ENDED or self._host.clock.monotonic() > until:
                return found
            await asyncio.sleep(_POLL_S)

    async def look(self) -> None:
        """Take what waits for those that are connected here; each runs beside the others."""
        mine = [box_id for box_id, point in self._central.points.items() if point.line.standing is not None]
        if not mine:
            return
        now = self._host.clock.now()
        for command in await self._host.write(lambda tx: commands.take(tx, mine, now=now)):
            task = asyncio.create_task(self._perform(command), name=f"cvepro command {command.action}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def wake(self) -> None:
        self._wake.set()

    async def _perform(self, command: Command) -> None:
        point = self._central.points.get(command.box_id)
        if point is None:
            state, answer = CommandState.NO_ANSWER, None
        elif command.action is Action.DROP:
            await point.line.close("its admission has changed")
            state, answer = CommandState.ANSWERED, None
        else:
            state, answer = await point.perform(command)
        log.info("ocpp_command", box_id=command.box_id, action=str(command.action), state=str(state), answer=answer)

        def unit(tx: Tx) -> None:
            commands.end(tx, command.id, state, answer, now=self._host.clock.now())
            tx.publish(COMMANDS_TOPIC, command.box_id)

        await self._host.write(unit)


def _connected(tx: Tx, key: str) -> Charger:
    """Raises: NotFound, Conflict."""
    charger = chargers.one(tx, key)
    if charger is None:
        raise NotFound(N_("There is no such charger."))
    station = stations.find(tx, charger.box_id or "")
    if station is None or not station.is_admitted:
        raise Conflict(
            N_("This charger does not connect straight to Atalaia, so nothing can be asked of it."),
            hint=N_("Stations says which address is entered into a charger."),
        )
    if not station.is_connected:
        raise Conflict(N_("This charger is not connected now. Nothing was sent."))
    return charger


def _arguments(tx: Tx, box_id: str, action: Action, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the message needs. Raises: InvalidField, Conflict."""
    connector = given.get("connector")
    if connector is None and action in _WITH_CONNECTOR:
        raise InvalidField("connector", N_("This field is needed."))
    found: dict[str, Any] = {} if connector is None else {"connector": connector}
    match action:
        case Action.START:
            found["tag"] = _tag(str(given.get("tag") or ""))
        case Action.STOP:
            running = transactions.open_at(tx, box_id, connector)
            if not running:
                raise Conflict(N_("Nothing charges at this connector."))
            found["transaction"] = running[0].number
    return found


def _tag(text: str) -> str:
    """Raises: InvalidField."""
    found = tag_key(text)
    if found is None:
        raise InvalidField("tag", N_("This field is needed."))
    if len(found) > _TAG_LENGTH or not found.isascii():
        raise InvalidField("tag", N_("{text} is not a tag."), text=text[:LONGEST_TAG])
    return found
