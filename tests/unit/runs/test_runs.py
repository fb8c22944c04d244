"""What a handler's steps and its end become, in the worker and in the hub alike."""

import asyncio
from typing import Any

import msgspec
import pytest

from atalaia.core.redaction import Secret
from atalaia.runs.outcome import Ended, not_begun, perform, read_payload
from atalaia.runs.run import Assignment, Mode, Run
from atalaia.runs.steps import MAX_DATA_BYTES, fitting
from atalaia.sdk.failures import AuthExpired, BadPayload, PermanentFailure, TemporaryFailure
from atalaia.sdk.jobs import Handler, JobFailed, JobRun, JobSnoozed, JobType, JobUncertain, StepRecord


class Amount(msgspec.Struct):
    amount: int


class Record:
    """A line that keeps what goes over it; `refusal` is what a commit meets."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.steps: list[StepRecord] = []
        self.committed: list[str] = []
        self._refusal = refusal

    def note(self, step: StepRecord) -> None:
        self.steps.append(step)

    async def commit(self, step: StepRecord) -> None:
        if self._refusal is not None:
            raise self._refusal
        self.steps.append(step)
        self.committed.append(step.name)

    @property
    def states(self) -> list[str]:
        return [step.state for step in self.steps]


def ended(handler: Handler, *, line: Record | None = None, mode: Mode = "run", within_s: float = 5) -> Ended:
    assignment = Assignment("j1", "t", 1, "{}", None, mode)
    run = Run(assignment, line=line or Record(), upstream=None)
    job_type = JobType(name="t", title="t", payload=Amount, run=handler, resolve=handler)
    return asyncio.run(perform(job_type, run, within_s=within_s))


def raising(error: Exception, *, inside: bool = False, after: bool = False) -> Handler:
    """`inside` an irreversible step, or `after` one that is done."""

    async def handler(run: JobRun) -> None:
        if inside or after:
            async with run.irreversible("execute"):
                if inside:
                    raise error
        raise error

    return handler


@pytest.mark.parametrize(
    ("error", "outcome", "retryable"),
    [
        (JobFailed("no", failure="f"), "failed", False),
        (JobFailed("no", failure="f", is_retryable=True), "failed", True),
        (JobSnoozed("later", delay_s=3), "snoozed", True),
        (JobUncertain("who knows"), "uncertain", False),
        (TemporaryFailure("busy", retry_after_s=3), "failed", True),
        (AuthExpired("who?"), "failed", True),
        (PermanentFailure("never"), "failed", False),
        (BadPayload("what?"), "failed", False),
        (RuntimeError("a bug"), "failed", True),
    ],
)
def test_each_kind_of_failure_has_its_outcome(error: Exception, outcome: str, retryable: bool) -> None:
    found = ended(raising(error))
    assert found.error is not None
    assert (found.outcome, found.error.retryable) == (outcome, retryable)


def test_how_long_to_wait_is_passed_on() -> None:
    assert ended(raising(TemporaryFailure("busy", retry_after_s=3))).error.retry_after_ms == 3000  # type: ignore[union-attr]
    assert ended(raising(JobSnoozed("later", delay_s=1.5))).error.retry_after_ms == 1500  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "error", [TemporaryFailure("cut"), BadPayload("what?"), RuntimeError("a bug"), JobUncertain("?"), TimeoutError()]
)
def test_whatever_breaks_an_irreversible_step_leaves_it_open(error: Exception) -> None:
    line = Record()
    assert ended(raising(error, inside=True), line=line).outcome == "uncertain"
    assert line.states == ["irreversible", "irreversible"]


@pytest.mark.parametrize("error", [JobFailed("refused", failure="f", is_retryable=True), PermanentFailure("403")])
def test_a_clear_no_within_an_irreversible_step_means_that_nothing_was_done(error: Exception) -> None:
    line = Record()
    assert ended(raising(error, inside=True), line=line).outcome == "failed"
    assert line.states == ["irreversible", "failed"]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TemporaryFailure("cut"), "uncertain"),
        (JobFailed("try again", failure="f", is_retryable=True), "uncertain"),
        (JobSnoozed("later", delay_s=1), "uncertain"),
        (PermanentFailure("never"), "uncertain"),
        (JobFailed("the unit says no", failure="f"), "failed"),
    ],
)
def test_after_something_irreversible_only_the_handlers_own_word_is_an_end(error: Exception, outcome: str) -> None:
    assert ended(raising(error, after=True)).outcome == outcome


def test_an_irreversible_step_that_the_hub_did_not_take_is_not_begun_and_said_to_be_undone() -> None:
    line = Record(refusal=TemporaryFailure("away"))
    found = ended(raising(RuntimeError("must not come to this"), inside=True), line=line)
    assert found.outcome == "failed"
    assert line.states == ["failed"]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TemporaryFailure("busy"), "snoozed"),
        (AuthExpired("who?"), "snoozed"),
        (RuntimeError("a bug"), "uncertain"),
        (JobUncertain("nothing to see"), "uncertain"),
        (JobFailed("it was never done", failure="f", is_retryable=True), "failed"),
    ],
)
def test_finding_out_is_tried_again_or_stays_unknown(error: Exception, outcome: str) -> None:
    assert ended(raising(error), mode="resolve").outcome == outcome


def test_finding_out_never_acts() -> None:
    line = Record()
    assert ended(raising(RuntimeError("no"), inside=True), line=line, mode="resolve").outcome == "uncertain"
    assert line.committed == []


def test_a_handler_that_takes_too_long_has_failed() -> None:
    async def handler(run: JobRun) -> None:
        async with run.step("wait"):
            await asyncio.Event().wait()

    line = Record()
    found = ended(handler, line=line, within_s=0.2)
    assert found.error is not None
    assert (found.outcome, found.error.kind) == ("failed", "too_long")
    assert line.states == ["started", "failed"]


@pytest.mark.parametrize("result", [object(), {"x" * 10: "y" * 1_100_000}])
def test_a_result_that_can_not_be_kept_is_a_failure(result: Any) -> None:
    async def handler(run: JobRun) -> Any:  # noqa: ARG001 - a handler's form
        return result

    assert ended(handler).outcome == "failed"


def test_finding_out_that_takes_too_long_has_found_out_nothing() -> None:
    """It was told as a failure that may be tried again: the vehicle would have been acted on a second time."""

    async def handler(run: JobRun) -> None:  # noqa: ARG001 - a handler's form
        await asyncio.Event().wait()

    assert ended(handler, mode="resolve", within_s=0.2).outcome == "uncertain"


@pytest.mark.parametrize("result", [object(), {"x" * 10: "y" * 1_100_000}])
def test_a_result_that_can_not_be_kept_does_not_say_that_nothing_was_done(result: Any) -> None:
    async def handler(run: JobRun) -> Any:
        if run.mode == "run":  # type: ignore[attr-defined]  # of the class, not of the contract
            async with run.irreversible("execute"):
                pass
        return result

    assert ended(handler).outcome == "uncertain"
    assert ended(handler, mode="resolve").outcome == "uncertain"


def test_a_payload_that_can_not_be_read_any_more_leaves_unknown_what_was_done_with_it() -> None:
    error = JobFailed("no", failure="bad_payload")
    assert not_begun(error, mode="run").outcome == "failed"
    assert not_begun(error, mode="resolve").outcome == "uncertain"


def test_secrets_are_in_no_step_no_result_and_no_error() -> None:
    canary = Secret("canary-value-0815")

    async def handler(run: JobRun) -> Any:
        async with run.step("send", frame='{"t":"canary-value-0815"}', password="other", deep={"token": "other"}):
            pass
        if run.attempt:
            raise JobFailed(f"the token {canary.reveal()} was refused", failure="f")

    line = Record()
    found = ended(handler, line=line)
    assert b"canary" not in msgspec.json.encode([line.steps, found])
    assert line.steps[0].data["password"] == "***"
    assert line.steps[0].data["deep"] == {"token": "***"}


def test_a_steps_data_is_made_to_fit() -> None:
    large = fitting({"frame": "x" * 100_000, "many": {f"k{n}": "y" * 1_900 for n in range(100)}, "small": 1})
    assert len(msgspec.json.encode(large)) <= MAX_DATA_BYTES
    assert large["small"] == 1
    assert large["frame"].endswith("(100000 characters)")
    assert large["left_away"] == ["many"]


def test_a_payload_is_read_as_its_type_says() -> None:
    async def handler(run: JobRun) -> None: ...

    job_type = JobType(name="t", title="t", payload=Amount, run=handler)
    assert read_payload(job_type, '{"amount": 3}') == Amount(3)
    for wrong in ('{"amount": "3"}', "[", "{}"):
        with pytest.raises(JobFailed, match="The payload can't be used"):
            read_payload(job_type, wrong)
