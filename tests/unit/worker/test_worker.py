"""A worker does what it leased, tells it, and lets go of what it can't prove to be its own."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from atalaia.core.errors import AtalaiaError
from atalaia.sdk.failures import TemporaryFailure
from atalaia.sdk.jobs import JobRun
from atalaia.worker.worker import Exit
from tests.servers import wait_until
from tests.stillness import unhurried
from tests.unit.worker.conftest import Running, job_type, on_lease
from tests.unit.worker.stub_hub import StubHub

Start = Callable[..., Running]


async def _never(run: JobRun) -> None:  # noqa: ARG001 - a handler's form
    await asyncio.Event().wait()


def test_a_job_is_run_and_its_steps_and_result_are_told(hub: StubHub, start: Start) -> None:
    async def work(run: JobRun) -> Any:
        async with run.step("look", at="here") as step:
            await step.note(found=run.payload.amount)
        return {"pause": run.settings["pause_s"], "templates": list(run.templates)}

    hub.offer("demo", {"amount": 7})
    start(job_type(work))
    assert hub.await_ends() == [
        {
            "token": "1-random",
            "outcome": "succeeded",
            "result": {"pause": 0.5, "templates": ["go"]},
            "steps": hub.steps(),
        }
    ]
    states = [(step["n"], step["name"], step["state"], step["data"]) for step in hub.steps()]
    assert states == [
        (1, "look", "started", {"at": "here"}),
        (1, "look", "started", {"at": "here", "found": 7}),
        (1, "look", "done", {"at": "here", "found": 7}),
    ]


def test_what_it_says_of_itself_is_in_every_question(hub: StubHub, start: Start) -> None:
    async def resolve(run: JobRun) -> None: ...

    start(job_type(_never, name="b"), job_type(_never, name="a", resolve=resolve), concurrency=3)
    wait_until(lambda: bool(hub.of("/api/leases")), what="a question")
    asked = hub.of("/api/leases")[0]
    assert (asked["worker_id"], asked["types"], asked["resolves"], asked["max"]) == ("w1", ["a", "b"], ["a"], 3)
    assert asked["version"]
    assert asked["incarnation"]


def test_a_handler_that_blocks_the_loop_keeps_its_lease() -> None:
    def scene(slower: float) -> None:
        over = threading.Event()

        async def work(run: JobRun) -> str:  # noqa: ARG001 - a handler's form
            time.sleep(2.0 * slower)  # noqa: ASYNC251 - the point: longer than the lease lives, and far longer than 2/3 of it
            over.set()
            return "kept"

        with on_lease(1.5 * slower, work) as hub:
            hub.offer("demo")
            assert over.wait(60)
            # A lease that was lost meanwhile ends otherwise, or is told nowhere.
            wait_until(lambda: bool(hub.ends()), what="the end of the job", timeout_s=10)
            assert hub.ends()[0]["result"] == "kept"
            assert len(hub.of("/api/leases/renew")) >= 3

    unhurried(scene, bears_s=0.5)


def test_renewals_say_which_of_two_by_one_name_it_is(hub: StubHub, start: Start) -> None:
    async def work(run: JobRun) -> None:
        async with run.irreversible("execute"):
            pass

    hub.offer("demo")
    start(job_type(work))
    hub.await_ends()
    assert {each["incarnation"] for each in hub.of("/api/leases/renew")} == {hub.of("/api/leases")[0]["incarnation"]}


def test_an_irreversible_step_begins_when_the_hub_has_it(hub: StubHub, start: Start) -> None:
    known: list[str] = []

    async def work(run: JobRun) -> None:
        async with run.irreversible("execute"):
            known.extend(step["state"] for step in hub.steps())

    hub.offer("demo")
    start(job_type(work))
    hub.await_ends()
    assert known == ["irreversible"]
    assert [step["state"] for step in hub.steps()] == ["irreversible", "done"]


def test_without_the_hub_nothing_irreversible_is_begun() -> None:
    def scene(slower: float) -> None:
        over = threading.Event()
        entered: list[bool] = []
        refused: list[str] = []

        async def work(run: JobRun) -> None:
            hub.refuse = lambda path: 503 if path == "/api/leases/renew" else None
            try:
                async with run.irreversible("execute"):
                    entered.append(True)
            except TemporaryFailure as error:
                refused.append(str(error))
                raise
            finally:
                over.set()

        with on_lease(1.0 * slower, work) as hub:
            hub.offer("demo")
            assert over.wait(60)
        assert entered == []
        assert refused

    unhurried(scene, bears_s=0.5)


def test_steps_that_the_hub_does_not_take_do_not_make_a_failure_of_a_success(hub: StubHub, start: Start) -> None:
    """What is left to be told at the end of a long silence may be too much for one request."""

    def refuse(path: str) -> int | None:
        if path == "/api/leases/renew":
            return 503
        return 413 if path.endswith("/complete") and hub.seen[-1].body.get("steps") else None

    async def work(run: JobRun) -> str:
        async with run.step("look"):
            return "done"

    hub.refuse = refuse
    hub.offer("demo")
    start(job_type(work))
    last = hub.await_ends(2)[-1]
    assert (last["outcome"], last["result"]) == ("succeeded", "done")


def test_a_lost_lease_ends_the_work_and_nothing_is_told(hub: StubHub, start: Start) -> None:
    hub.ttl_ms = 600
    ended = threading.Event()

    async def work(run: JobRun) -> None:
        hub.states[run.id] = "lost"
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    hub.offer("demo")
    running = start(job_type(work), ttl_s=1)
    assert ended.wait(60)
    assert running.stop() is Exit.DRAINED
    assert hub.ends() == []


def test_a_cancelled_job_is_ended_as_such(hub: StubHub, start: Start) -> None:
    async def work(run: JobRun) -> None:
        hub.states[run.id] = "cancel"
        async with run.step("look"):  # which is a renewal, soon
            await asyncio.Event().wait()

    hub.offer("demo")
    start(job_type(work))
    assert hub.await_ends()[0]["outcome"] == "cancelled"


def test_while_the_hub_is_away_work_goes_on_until_the_lease_has_run_out() -> None:
    def scene(slower: float) -> None:
        began, ended = [0.0], [0.0]

        async def work(run: JobRun) -> None:  # noqa: ARG001 - a handler's form
            hub.refuse = lambda _path: 503
            began[0] = time.monotonic()
            try:
                await asyncio.Event().wait()
            finally:
                ended[0] = time.monotonic()

        with on_lease(1.2 * slower, work) as hub:
            hub.offer("demo")
            wait_until(lambda: bool(ended[0]), what="the abortion", timeout_s=60)
            assert 0.8 * slower <= ended[0] - began[0] <= 8 * slower

    unhurried(scene, bears_s=0.3)


def test_at_the_order_to_drain_work_is_finished_and_nothing_taken(hub: StubHub, start: Start) -> None:
    go, began = threading.Event(), threading.Event()

    async def work(run: JobRun) -> str:  # noqa: ARG001 - a handler's form
        began.set()
        await asyncio.to_thread(go.wait)
        return "finished"

    hub.offer("demo")
    running = start(job_type(work))
    assert began.wait(60)
    running.drain()
    wait_until(running.worker._draining.is_set, what="the order to drain")
    hub.offer("demo")
    go.set()
    assert running.join() is Exit.DRAINED
    assert [end["outcome"] for end in hub.ends() if end.get("result")] == ["succeeded"]


@pytest.mark.parametrize("orders", [1, 2])
def test_what_does_not_end_in_time_is_handed_back(hub: StubHub, start: Start, orders: int) -> None:
    began = threading.Event()

    async def work(run: JobRun) -> None:  # noqa: ARG001 - a handler's form
        began.set()
        await asyncio.Event().wait()

    hub.offer("demo")
    running = start(job_type(work), drain_s=0.2 if orders == 1 else 600)
    assert began.wait(60)
    for _ in range(orders):
        running.drain()
    assert running.join() is Exit.DRAINED
    assert [end["outcome"] for end in hub.ends()] == ["released"]


def test_what_was_on_its_way_at_the_order_to_drain_is_handed_back(hub: StubHub, start: Start) -> None:
    """The hub granted it to a question whose answer was not waited for."""
    asked, answer = threading.Event(), threading.Event()
    leases = hub._leases

    def slowly(body: dict[str, Any]) -> Any:
        given = leases(body)
        if body["wait_s"]:
            asked.set()
            hub.lock.release()
            answer.wait(60)
            hub.lock.acquire()
        return given

    hub._leases = slowly  # type: ignore[method-assign]
    hub.offer("demo")
    running = start(job_type(_never))
    assert asked.wait(60)
    assert running.stop() is Exit.DRAINED
    answer.set()
    assert [end["outcome"] for end in hub.ends()] == ["released"]


def test_a_lost_answer_is_asked_for_again_under_its_number(hub: StubHub, start: Start) -> None:
    statuses = iter([503, 503])
    hub.refuse = lambda path: next(statuses, None) if path == "/api/leases" else None

    async def work(run: JobRun) -> None: ...

    hub.offer("demo")
    start(job_type(work))
    hub.await_ends()
    assert len({asked["request_id"] for asked in hub.of("/api/leases")[:3]}) == 1


@pytest.mark.parametrize(("status", "expected"), [(401, Exit.KEY_REFUSED), (403, Exit.KEY_REFUSED), (422, Exit.FAILED)])
def test_a_worker_that_is_refused_ends_and_says_why(hub: StubHub, start: Start, status: int, expected: Exit) -> None:
    hub.refuse = lambda _path: status
    running = start(job_type(_never))
    assert running.join() is expected
    assert running.worker.reason


def test_a_stale_worker_ends_with_a_status_of_its_own(hub: StubHub, start: Start) -> None:
    hub.word = "stop"
    running = start(job_type(_never))
    assert running.join() is Exit.STALE
    assert "older than the hub's minimum" in (running.worker.reason or "")


def test_a_payload_that_was_changed_or_does_not_fit_fails_for_good(hub: StubHub, start: Start) -> None:
    hub.offer("demo", payload_sha256="00")
    hub.offer("demo", {"amount": "seven"})
    start(job_type(_never))
    errors = {end["error"]["class"]: end["error"]["retryable"] for end in hub.await_ends(2)}
    assert errors == {"payload_changed": False, "bad_payload": False}


def test_a_failing_handler_is_an_outcome_and_the_worker_goes_on(hub: StubHub, start: Start) -> None:
    async def work(run: JobRun) -> None:
        if run.payload.amount:
            raise AtalaiaError("It was {what}.", what="said")
        raise RuntimeError("a word that was not meant for people")

    hub.offer("demo", {"amount": 1})
    hub.offer("demo")
    start(job_type(work))
    messages = sorted(end["error"]["message"] for end in hub.await_ends(2))
    assert messages == ["It was said.", "The handler failed: RuntimeError"]


def test_steps_that_come_together_are_sent_together(hub: StubHub, start: Start) -> None:
    release = threading.Event()

    async def work(run: JobRun) -> None:
        for number in range(20):
            async with run.step(f"s{number}"):
                pass
        await asyncio.to_thread(release.wait)

    hub.offer("demo")
    start(job_type(work))
    wait_until(lambda: len(hub.steps()) == 40, what="the steps", timeout_s=60)
    release.set()
    assert len([each for each in hub.of("/api/leases/renew") if each["items"][0].get("steps")]) <= 2


def test_an_end_is_told_until_the_hub_has_it(hub: StubHub, start: Start) -> None:
    statuses = iter([503, 503, 503])
    hub.refuse = lambda path: next(statuses, None) if path.endswith("/complete") else None

    async def work(run: JobRun) -> int:
        return run.attempt

    hub.offer("demo")
    start(job_type(work))
    assert {end["result"] for end in hub.await_ends(4)} == {1}


def test_a_health_file_that_cannot_be_written_costs_no_lease(tmp_path: Path) -> None:
    """The disk was full, and each answer of the hub counted as none."""

    def scene(slower: float) -> None:
        over = threading.Event()

        async def work(run: JobRun) -> str:
            try:
                async with run.irreversible("execute"):
                    await asyncio.sleep(1.5 * slower)
            finally:
                over.set()
            return "kept"

        with on_lease(0.9 * slower, work, health_file=tmp_path / "no such folder" / "health") as hub:
            hub.offer("demo")
            assert over.wait(60)
            wait_until(lambda: bool(hub.ends()), what="the end of the job", timeout_s=10)
            assert hub.ends()[0]["result"] == "kept"

    unhurried(scene, bears_s=0.3)


def test_its_health_file_is_as_young_as_the_hubs_last_answer(hub: StubHub, start: Start, tmp_path: Path) -> None:
    file = tmp_path / "health"
    hub.refuse = lambda _path: 503
    start(job_type(_never), health_file=file)
    wait_until(lambda: len(hub.of("/api/leases")) > 1, what="questions")
    assert not file.exists()
    hub.refuse = lambda _path: None
    wait_until(file.exists, what="the file", timeout_s=60)


def test_what_is_no_hub_is_asked_again_until_it_is_one(hub: StubHub, start: Start) -> None:
    answer = hub.answer
    strange: Iterator[Any] = iter([(200, ["not the hub"], {})] * 3)
    hub.answer = lambda *given: next(strange, None) or answer(*given)  # type: ignore[method-assign]

    async def work(run: JobRun) -> None: ...

    hub.offer("demo")
    start(job_type(work))
    assert hub.await_ends()[0]["outcome"] == "succeeded"
