"""What a charger that connects straight can be asked to do, on its own page: buttons, and what became of the last ones."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from atalaia.core.errors import NotFound
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.commands import Action, Command, CommandState
from atalaia.integrations.cvepro.ocpp.commanding import Commanding
from atalaia.integrations.cvepro.ocpp.orders import read_order
from atalaia.integrations.cvepro.queries import chargers, commands, stations, transactions
from atalaia.integrations.cvepro.queries.station_tags import to_start_with
from atalaia.sdk.integration import Host, Page, Request, View
from atalaia.sdk.transaction import Tx

_MAY: Final = Permission.DASHBOARDS_WRITE
_WAIT_S: Final = 5.0  # with the page; what takes longer shows there when it comes
ACTIONS: Final = {
    str(Action.START): N_("Start charging"),
    str(Action.STOP): N_("Stop charging"),
    str(Action.UNLOCK): N_("Unlock the plug"),
    str(Action.SOFT_RESET): N_("Restart in order"),
    str(Action.HARD_RESET): N_("Restart at once"),
    str(Action.ENABLE): N_("Put into service"),
    str(Action.DISABLE): N_("Take out of service"),
}
STATES: Final = {
    str(CommandState.WAITING): ("maintenance", N_("On its way")),
    str(CommandState.SENT): ("maintenance", N_("On its way")),
    str(CommandState.ANSWERED): ("up", N_("Done")),
    str(CommandState.NO_ANSWER): ("down", N_("No answer in time")),
    str(CommandState.FAILED): ("down", N_("It answered with an error")),
}
# OCPP's words, of all the answers there are.
ANSWERS: Final = {
    "Accepted": ("up", N_("Accepted")),
    "Rejected": ("degraded", N_("Rejected")),
    "Scheduled": ("maintenance", N_("When the session ends")),
    "Unlocked": ("up", N_("Unlocked")),
    "UnlockFailed": ("down", N_("Could not be unlocked")),
    "NotSupported": ("degraded", N_("It can't do that")),
}


class Commands:
    def __init__(self, host: Host, commanding: Commanding) -> None:
        self._host = host
        self._commanding = commanding

    def pages(self) -> tuple[Page, ...]:
        return (Page("/cvepro/chargers/{key}/commands", _MAY, self.part, self.submit, submit_permission=_MAY),)

    async def part(self, request: Request) -> View:
        return View("cvepro/_commands.html", "", await self._values(request.path_params["key"]), is_part=True)

    async def submit(self, request: Request, form: Mapping[str, str]) -> View | str:
        key = request.path_params["key"]
        action, given = read_order(form.get("do", ""), form)
        made = await self._commanding.give(key, action, given, by=request.principal, client=request.client)
        await self._commanding.ended(made.id, within_s=_WAIT_S)
        return f"/cvepro/chargers/{quote(key, safe='')}"

    async def _values(self, key: str) -> dict[str, Any]:
        """Raises: NotFound."""

        def unit(tx: Tx) -> dict[str, Any]:
            charger = chargers.one(tx, key)
            station = stations.find(tx, charger.box_id or "") if charger else None
            if charger is None or station is None:
                raise NotFound(N_("There is no such charger."))
            return {
                "key": key,
                "charger": charger,
                "is_connected": station.is_connected,
                "charging": {str(each.connector) for each in transactions.open_at(tx, station.box_id)},
                "tag_options": [(tag, f"{name} · {flat} · {tag}") for tag, name, flat in to_start_with(tx)],
                "given": [self._shown(each) for each in commands.newest(tx, station.box_id)],
                "connector_options": [(each.number, each.number) for each in charger.connectors],
                "actions": ACTIONS,
            }

        return await self._host.read(unit)

    def _shown(self, command: Command) -> dict[str, Any]:
        standing = command.standing(self._host.clock.now())
        state, word = ANSWERS.get(command.answer or "", STATES[str(standing)])
        return {"command": command, "state": state, "word": word, "told": command.answer}
