"""What the simulated third party remembers: tokens, executions, settings. Written to a file before it is answered, where one is given."""

import json
import secrets
import string
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

TOKEN_LENGTH = 42
SHORT_TOKEN_LENGTH = 8
TOKEN_LIFE_S = 6 * 3600.0
FIRST_PROCESS_ID = 700_001
COMPLETED = "Completed"
RUNNING = "In Progress"
_LETTERS = string.ascii_letters + string.digits
_HALF_WAY = 50.0
_WHOLE = 100.0


@dataclass(frozen=True, slots=True)
class Process:
    """One execution. What becomes of it is settled when it begins, and follows the clock from there."""

    process_id: int
    client_id: str
    vehicle_id: str
    comment: str
    at: float  # epoch
    setting: str | None = None
    command: str | None = None
    step: float = 20.0
    interval_s: float = 0.5
    ends: str = COMPLETED
    error: str = ""
    is_silent: bool = False
    watchers: tuple[str, ...] = field(default=())  # sessions that had subscribed before it began

    def progress(self, now: float) -> float:
        if self.is_silent:
            return 0.0
        done = (now - self.at) // self.interval_s * self.step if self.interval_s else _WHOLE
        return min(_HALF_WAY if self._goes_wrong else _WHOLE, done)

    def status(self, now: float) -> str:
        return self.ends if self.is_over(now) else RUNNING

    def is_over(self, now: float) -> bool:
        return not self.is_silent and self.progress(now) >= (_HALF_WAY if self._goes_wrong else _WHOLE)

    @property
    def _goes_wrong(self) -> bool:
        return self.ends != COMPLETED or bool(self.error)

    def shown(self, now: float) -> dict[str, str]:
        """As a push and the history have it: all of it text."""
        return {
            "process_id": str(self.process_id),
            "vehicle_id": self.vehicle_id,
            "status": self.status(now),
            "progress": f"{self.progress(now):g}",
            "type": "SETTING" if self.command is None else "COMMAND",
            "error": self.error if self.is_over(now) else "",
        }


class Book:
    """Its file has one JSON object a line; a line is written whole before anybody is told of it."""

    def __init__(self, file: Path | None = None, *, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self._path = file
        self._lock = threading.Lock()
        self._file: IO[str] | None = None
        self._clear()
        if file is not None:
            self._read(file)
            self._file = file.open("a", encoding="utf-8")

    def reset(self) -> None:
        """Forget everything; process ids go on from where they are."""
        self._clear(next_process_id=self._next_process_id)
        if self._file is not None:
            self._file.truncate(0)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def new_token(self, *, life_s: float = TOKEN_LIFE_S, length: int = TOKEN_LENGTH) -> str:
        token = "".join(secrets.choice(_LETTERS) for _ in range(length))
        self._write("token", {"token": token, "expires_at": self.now() + life_s})
        return token

    def expire_tokens(self) -> None:
        for token in self._tokens:
            self._write("token", {"token": token, "expires_at": 0.0})

    def knows(self, token: Any) -> bool:
        """Whether such a session is there, and has not expired."""
        return isinstance(token, str) and self._tokens.get(token, 0.0) > self.now()

    def had(self, token: str) -> bool:
        return token in self._tokens

    def new_process_id(self) -> int:
        self._write("reserved", {"process_id": self._next_process_id})
        return self._next_process_id - 1

    def execute(self, process: Process) -> None:
        self._write("process", asdict(process))

    def setting_of(self, vehicle_id: str) -> str | None:
        """What is assigned now: by the newest process that has been completed."""
        now = self.now()
        done = (each for each in reversed(self.processes) if each.vehicle_id == vehicle_id and each.setting is not None)
        return next((each.setting for each in done if each.is_over(now) and each.status(now) == COMPLETED), None)

    def history(self, client_id: str, vehicle_id: str) -> Iterator[Process]:
        """Newest first."""
        return (
            each for each in reversed(self.processes) if (each.client_id, each.vehicle_id) == (client_id, vehicle_id)
        )

    def vehicles(self) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for process in self.processes:
            vehicle = seen.setdefault(
                process.vehicle_id, {"executions": [], "setting": self.setting_of(process.vehicle_id)}
            )
            vehicle["executions"].append(
                {
                    "process_id": process.process_id,
                    "comment": process.comment,
                    "at": process.at,
                    "setting": process.setting,
                    "command": process.command,
                    "status": process.status(self.now()),
                }
            )
        return seen

    def _clear(self, *, next_process_id: int = FIRST_PROCESS_ID) -> None:
        self._tokens: dict[str, float] = {}
        self.processes: list[Process] = []
        self._next_process_id = next_process_id

    def _write(self, kind: str, row: dict[str, Any]) -> None:
        with self._lock:
            if self._file is not None:
                self._file.write(json.dumps({kind: row}) + "\n")
                self._file.flush()
            self._take(kind, row)

    def _take(self, kind: str, row: dict[str, Any]) -> None:
        if kind == "token":
            self._tokens[row["token"]] = row["expires_at"]
        elif kind == "reserved":
            self._next_process_id = row["process_id"] + 1
        else:
            self.processes.append(Process(**row | {"watchers": tuple(row["watchers"])}))

    def _read(self, file: Path) -> None:
        """A last line that was cut off by a kill was told to nobody, and is dropped."""
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        whole, _, rest = text.rpartition("\n")
        for line in whole.splitlines():
            ((kind, row),) = json.loads(line).items()
            self._take(kind, row)
        if rest:
            file.write_text(whole + "\n" if whole else "", encoding="utf-8")
