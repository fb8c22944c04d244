"""A few threads, made when they are needed and ended when they are not: each costs memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition, Event, Thread
from typing import Any, TypeVar

T = TypeVar("T")

IDLE_S = 45.0


class Pool:
    """Runs tasks in the order in which they came, `first` ones before them. A task must not raise."""

    def __init__(self, name: str, *, max_threads: int) -> None:
        self._name = name
        self._max_threads = max_threads
        self._tasks: deque[Callable[[], object]] = deque()
        self._changed = Condition()
        self._threads = 0
        self._idle = 0

    def submit(self, task: Callable[[], object], *, first: bool = False) -> None:
        with self._changed:
            if first:
                self._tasks.appendleft(task)
            else:
                self._tasks.append(task)
            if self._idle >= len(self._tasks) or self._threads >= self._max_threads:
                self._changed.notify()
                return
            self._threads += 1
        try:
            Thread(target=self._work, name=self._name, daemon=True).start()
        except RuntimeError:  # the system has no more threads for us: one that is there takes it, when it is free
            with self._changed:
                self._threads -= 1
                if not self._threads:
                    self._tasks.remove(task)
                    raise
                self._changed.notify()

    def call(self, function: Callable[[], T], *, wait: Callable[[Callable[[float], bool]], object]) -> T:
        """What `function` returns or raises; where `wait` raises instead of waiting longer, it is left to itself."""
        answer: list[Any] = [None, None]
        done = Event()

        def run() -> None:
            try:
                answer[0] = function()
            except BaseException as failure:  # noqa: BLE001 - it belongs to the caller, whatever it is
                answer[1] = failure
            done.set()

        self.submit(run)
        wait(done.wait)
        if answer[1] is not None:
            raise answer[1]
        return answer[0]  # type: ignore[no-any-return]

    def _work(self) -> None:
        while (task := self._next()) is not None:
            task()
            del task  # what it holds must not live as long as the idle thread

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            while not self._tasks:
                self._idle += 1
                was_woken = self._changed.wait(IDLE_S)
                self._idle -= 1
                if not was_woken and not self._tasks:
                    self._threads -= 1
                    return None
            return self._tasks.popleft()
