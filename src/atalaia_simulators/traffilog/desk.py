"""The third party's work on requests: the review slot of each client, the order of steps, and what they bring about."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from atalaia_simulators.traffilog.book import COMPLETED, Book, Process
from atalaia_simulators.traffilog.faults import Faults
from atalaia_simulators.traffilog.frames import FORBIDDEN, Refused, Request

ALREADY_ASSIGNED: Final = ("1", "already assigned")
SLOT_BUSY: Final = ("8", "the review slot is busy")
NOT_READY: Final = ("404", "the review is not ready")
ASSIGN_SETTING, SEND_COMMAND = "1", "5"
CONFIG_STATUS = "UNIT_CONFIG_STATUS"
SLOT_LIFE_S = 300.0
STEP, INTERVAL_S = 20.0, 0.5


@dataclass(slots=True)
class Review:
    """What a client's slot holds between the first associate and execute."""

    holder: object
    action_id: str
    opened_at: float
    is_associated: bool = False
    is_begun: bool = False
    tries: int = 0
    setting: str | None = None
    command: str | None = None
    process_id: int | None = None


@dataclass(eq=False, slots=True)
class Caller:
    """A socket, as the desk knows it: its session, what it checked, and the review that it works on."""

    token: str
    checked: set[tuple[str, str]] = field(default_factory=set)  # (client, vehicle)
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`value` other than "0" is the third party's refusal, or its remark."""

    value: str = "0"
    description: str = ""
    data: Sequence[Mapping[str, Any]] = ()
    top: Mapping[str, Any] = field(default_factory=dict)
    executed: Process | None = None


class Desk:
    def __init__(self, book: Book, faults: Faults) -> None:
        self._book = book
        self._faults = faults
        self._slots: dict[str, Review] = {}  # by client
        self._subscribed: set[tuple[str, str]] = set()  # (session, vehicle), to UNIT_CONFIG_STATUS
        self._do: Mapping[str, Callable[[Caller, Mapping[str, Any]], Outcome]] = {
            "vcls_check_opr": self._check,
            "associate_vehicles_actions_opr": self._associate,
            "review_process_attributes": self._begin_review,
            "get_vcls_action_review_opr": self._review,
            "get_vehicle_info": self._info,
            "vehicle_subscribe": self._subscribe,
            "execute_action_opr": self._execute,
            "get_custom_command": self._commands,
            "add_remove_custom_command": self._add_command,
            "get_process_history": self._history,
        }

    def serve(self, caller: Caller, request: Request) -> Outcome:
        """Raises: Refused."""
        return self._do[request.name](caller, request.parameters)

    def leave(self, caller: Caller) -> None:
        """The socket is gone: the slots that it held are free."""
        self._slots = {client: slot for client, slot in self._slots.items() if slot.holder is not caller}

    def reset(self) -> None:
        self._slots.clear()
        self._subscribed.clear()

    def running(self, caller: Caller, vehicle_id: str) -> Process | None:
        """The newest process of a vehicle whose pushes this session gets: it had subscribed before the execution."""
        newest = next((each for each in reversed(self._book.processes) if each.vehicle_id == vehicle_id), None)
        return newest if newest is not None and caller.token in newest.watchers else None

    def _check(self, caller: Caller, given: Mapping[str, Any]) -> Outcome:
        pair = (given["client_id"], given["vehicle_id"])
        (caller.checked.add if given["is_checked"] == "1" else caller.checked.discard)(pair)
        return Outcome()

    def _associate(self, caller: Caller, given: Mapping[str, Any]) -> Outcome:
        client_id = given["client_id"]
        slot = self._slots.get(client_id)
        is_held = slot is not None and slot.holder is not caller and self._book.now() - slot.opened_at < SLOT_LIFE_S
        if is_held or self._faults.strike("slot_busy"):
            return Outcome(*SLOT_BUSY)
        if not any(client == client_id for client, _ in caller.checked):
            raise Refused(*FORBIDDEN)
        if given["call_num"] == "0":
            self._slots[client_id] = Review(caller, given["action_id"], self._book.now())
            caller.client_id = client_id
            return Outcome()
        if slot is None or slot.holder is not caller or slot.action_id != given["action_id"]:
            raise Refused(*FORBIDDEN)
        return self._put_in(caller, slot, given)

    def _put_in(self, caller: Caller, slot: Review, given: Mapping[str, Any]) -> Outcome:
        slot.is_associated = True
        if slot.action_id != ASSIGN_SETTING:
            return Outcome()
        slot.setting = given.get("vehicle_setting_id")
        if not slot.setting:
            raise Refused(*FORBIDDEN)
        vehicles = [vehicle for client, vehicle in caller.checked if client == given["client_id"]]
        is_assigned = all(self._book.setting_of(vehicle) == slot.setting for vehicle in vehicles)
        return Outcome(*ALREADY_ASSIGNED) if is_assigned else Outcome()

    def _begin_review(self, caller: Caller, given: Mapping[str, Any]) -> Outcome:
        slot = self._slot_of(caller, given["client_id"])
        if not slot.is_associated or (slot.action_id == SEND_COMMAND and slot.command is None):
            raise Refused(*FORBIDDEN)
        slot.is_begun = True
        return Outcome()

    def _review(self, caller: Caller, given: Mapping[str, Any]) -> Outcome:
        slot = self._slot_of(caller, given["client_id"])
        slot.tries += 1
        if not slot.is_begun or slot.tries <= self._faults.look("review_404", 0):
            raise Refused(*NOT_READY)
        if slot.process_id is None:
            slot.process_id = self._book.new_process_id()
        return Outcome(data=[{"process_id": str(slot.process_id)}], top={"process_id": slot.process_id})

    def _info(self, _caller: Caller, given: Mapping[str, Any]) -> Outcome:
        vehicle_id = given["vehicle_id"]
        setting = self._book.setting_of(vehicle_id) or ""
        return Outcome(
            data=[{"vehicle_id": vehicle_id, "client_id": given["client_id"], "vehicle_setting_id": setting}]
        )

    def _subscribe(self, caller: Caller, given: Mapping[str, Any]) -> Outcome:
        if given["object_type"] == CONFIG_STATUS:
            self._subscribed.add((caller.token, given["vehicle_id"]))
        return Outcome()

    def _execute(self, caller: Caller, given: Mapping[str, Any]) -> Outcome:
        client_id, vehicle_id = given["client_id"], given["vehicle_id"]
        slot = self._slot_of(caller, client_id)
        if slot.process_id != given["process_id"] or (client_id, vehicle_id) not in caller.checked:
            raise Refused(*FORBIDDEN)
        process = Process(
            process_id=given["process_id"],
            client_id=client_id,
            vehicle_id=vehicle_id,
            comment=given["comment"],
            at=self._book.now(),
            setting=slot.setting,
            command=slot.command,
            step=self._faults.look("progress_step", STEP),
            interval_s=self._faults.look("progress_interval_s", INTERVAL_S),
            ends=self._faults.strike("push_status") or COMPLETED,
            error=self._faults.strike("push_error") or "",
            is_silent=bool(self._faults.strike("silent_unit")),
            watchers=tuple(sorted(token for token, vehicle in self._subscribed if vehicle == vehicle_id)),
        )
        self._book.execute(process)
        del self._slots[client_id]
        return Outcome(data=[{"process_id": str(process.process_id)}], executed=process)

    def _commands(self, _caller: Caller, given: Mapping[str, Any]) -> Outcome:
        known = {process.command for process in self._book.processes if process.client_id == given["client_id"]}
        return Outcome(data=[{"command_syntax": command} for command in sorted(filter(None, known))])

    def _add_command(self, caller: Caller, given: Mapping[str, Any]) -> Outcome:
        slot = self._slot_of(caller, given.get("client_id", caller.client_id))
        if slot.action_id != SEND_COMMAND or not given["command_syntax"]:
            raise Refused(*FORBIDDEN)
        slot.command = given["command_syntax"] if given["action_value"] == "0" else None
        return Outcome()

    def _history(self, _caller: Caller, given: Mapping[str, Any]) -> Outcome:
        """What was executed on a vehicle, newest first, with the comment that holds `#rid` and `#pid`.

        This action is the simulator's assumption: the third party's page shows such a history, and how it asks for it is
        not in the observations. A real deployment replaces the frame by a capture.
        """
        now = self._book.now()
        found = self._book.history(given["client_id"], given["vehicle_id"])
        return Outcome(data=[process.shown(now) | {"comment": process.comment} for process in found])

    def _slot_of(self, caller: Caller, client_id: str | None) -> Review:
        """Raises: Refused: the step before was not done, or another has the slot."""
        slot = self._slots.get(client_id or "")
        if slot is None or slot.holder is not caller:
            raise Refused(*FORBIDDEN)
        return slot
