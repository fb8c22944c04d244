"""What a signal may do: tasks of integrations, and the hub's own."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from atalaia.core.errors import ConfigError, InvalidField
from atalaia.core.translations import N_
from atalaia.sdk.signals import RunOutcome, SignalRun, SignalTask
from atalaia.sdk.transaction import Tx
from atalaia.signals.model.runs import Ending, Outcome
from atalaia.signals.model.signals import Options


class Started(NamedTuple):
    """A run that has begun, and is on record as such once its transaction is committed."""

    signal: str
    run_id: str
    fence: int
    source: str
    started_ms: int
    task: str
    options: str
    secret: bytes | None
    min_interval_ms: int = 0


class OwnRun(SignalRun, Protocol):
    """A run as the hub's own tasks see it."""

    @property
    def started(self) -> Started: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """`run` takes its time; `at_once` does its work in the very transaction of the start, so that a crash makes both or neither.

    `check` says whether it can do anything with these options. Raises: InvalidField.
    """

    name: str
    title: str
    run: Callable[[OwnRun], Awaitable[Ending]] | None = None
    at_once: Callable[[Tx, Started], Ending] | None = None
    check: Callable[[Options], None] = lambda _options: None


class Tasks:
    def __init__(self, own: Sequence[Task] = ()) -> None:
        self._tasks = {task.name: task for task in own}

    def all(self) -> Mapping[str, Task]:
        return self._tasks

    def find(self, name: str) -> Task | None:
        return self._tasks.get(name)

    def register(self, integration: str, tasks: Sequence[SignalTask]) -> None:
        """Raises: ConfigError: a name that is not the integration's own."""
        for task in tasks:
            if not task.name.startswith(f"{integration}."):
                raise ConfigError(f"the signal task {task.name} is not named {integration}.<task>")
        self._tasks |= {task.name: Task(name=task.name, title=task.title, run=_of_integration(task)) for task in tasks}

    def forget(self, integration: str) -> None:
        """Of one that could not be set up after all."""
        self._tasks = {name: task for name, task in self._tasks.items() if not name.startswith(f"{integration}.")}

    def check(self, name: str, options: Options) -> None:
        """Raises: InvalidField: there is no such task, or it can't work with these options."""
        task = self.find(name)
        if task is None:
            raise InvalidField(
                "task", N_("there is no such task: {names} are there"), names=", ".join(sorted(self._tasks))
            )
        task.check(options)


def _of_integration(task: SignalTask) -> Callable[[OwnRun], Awaitable[Ending]]:
    async def run(own: OwnRun) -> Ending:
        return ending_of(await task.run(own))

    return run


def ending_of(said: RunOutcome) -> Ending:
    outcome = Outcome.SUCCEEDED if said.work else Outcome.NOTHING
    return Ending(outcome, said.summary, dict(said.params))
