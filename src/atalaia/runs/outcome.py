"""What a handler's end means: the outcome that is told to the lease machine. Whatever is raised becomes one."""

import asyncio
from typing import Any, Final, Literal

import msgspec
import structlog

from atalaia.core.errors import AtalaiaError, Overloaded, StoreFull, StoreUnavailable, TooManyRequests
from atalaia.core.redaction import redact, scrub
from atalaia.runs.run import Mode, Run, words_of
from atalaia.sdk.failures import AuthExpired, TemporaryFailure
from atalaia.sdk.jobs import Handler, JobFailed, JobSnoozed, JobType, JobUncertain

OutcomeWord = Literal["succeeded", "failed", "snoozed", "released", "cancelled", "uncertain"]
MAX_RESULT_BYTES: Final = 1_048_576
MAX_MESSAGE: Final = 4_000
RESOLVE_AGAIN_S: Final = 15.0
_PASSING: Final = (TemporaryFailure, AuthExpired, JobSnoozed, TooManyRequests, Overloaded, StoreUnavailable, StoreFull)

log = structlog.get_logger()


class Failure(msgspec.Struct, frozen=True, omit_defaults=True, rename={"kind": "class"}):
    """Why a job failed, as it goes over the wire; `kind` is a stable word for scripts."""

    kind: str
    message: str
    retryable: bool
    retry_after_ms: int | None = None
    hint: str = ""


class _NotItsWord(JobFailed):
    """A failure that the handler did not tell: nothing is known by it of what it has done, or was asked to find out."""


class Ended(msgspec.Struct, frozen=True):
    """How a run ended; `result` is JSON."""

    outcome: OutcomeWord
    result: msgspec.Raw | None = None
    error: Failure | None = None


def read_payload(job_type: JobType, payload_raw: str) -> Any:
    """Raises: JobFailed: it is not what the type takes."""
    try:
        return msgspec.json.decode(payload_raw, type=job_type.payload)
    except msgspec.MsgspecError as error:
        raise JobFailed("The payload can't be used: {why}", failure="bad_payload", why=str(error)) from error


def not_begun(error: JobFailed, *, mode: Mode) -> Ended:
    """The handler could not even be called; one that was to find out has not, and what was done before stays unknown."""
    failure = Failure(error.failure, str(error), retryable=False)
    return Ended("uncertain" if mode == "resolve" else "failed", error=failure)


async def perform(job_type: JobType, run: Run, *, within_s: float) -> Ended:
    """Run the type's handler (or the one that finds out) to its end. Only a cancellation comes through."""
    handler = job_type.resolve if run.mode == "resolve" else job_type.run
    if handler is None:
        return Ended("uncertain", error=Failure("outcome_unknown", "Nobody can find out what became of it.", False))
    try:
        return await _called(handler, run, within_s=within_s)
    except Exception as error:
        if not isinstance(error, AtalaiaError):
            log.exception("job_handler_failed", job=run.id, type=run.type)
        return outcome_of(error, run)


async def _called(handler: Handler, run: Run, *, within_s: float) -> Ended:
    deadline = asyncio.timeout(within_s)
    try:
        async with deadline:
            result = await handler(run)
    except TimeoutError:
        if not deadline.expired():
            raise
        raise _NotItsWord(
            "It took longer than {seconds} s.", failure="too_long", is_retryable=True, seconds=round(within_s)
        ) from None
    return Ended("succeeded", result=_encoded(result))


def _encoded(result: Any) -> msgspec.Raw | None:
    if result is None:
        return None
    try:
        body = msgspec.json.encode(redact(msgspec.to_builtins(result, str_keys=True)))
    except (msgspec.MsgspecError, TypeError, ValueError) as error:
        raise _NotItsWord("The result is no JSON value: {why}", failure="bad_result", why=str(error)) from error
    if len(body) > MAX_RESULT_BYTES:
        raise _NotItsWord("The result is over {limit} bytes.", failure="result_too_large", limit=MAX_RESULT_BYTES)
    return msgspec.Raw(body)


def outcome_of(error: Exception, run: Run) -> Ended:
    """What an error of the handler means.

    After something irreversible only the handler's own word (JobFailed, for good) says that it failed; of all else nobody
    knows what has happened, and somebody has to find out.
    """
    failure = _failure_of(error)
    is_its_word = isinstance(error, JobFailed) and not isinstance(error, _NotItsWord)
    if isinstance(error, JobUncertain):
        return Ended("uncertain", error=failure)
    if isinstance(error, JobSnoozed) and not run.has_acted:
        return Ended("snoozed", error=failure)
    if run.mode == "resolve" and not is_its_word:
        return _not_found_out(error, failure)
    if run.has_acted and (failure.retryable or not is_its_word):
        return Ended("uncertain", error=failure)
    return Ended("failed", error=failure)


def _not_found_out(error: Exception, failure: Failure) -> Ended:
    """Asking did not work: that says nothing about the job, so it is asked again, or the outcome stays unknown."""
    if isinstance(error, TemporaryFailure | AuthExpired):
        wait_ms = failure.retry_after_ms or int(RESOLVE_AGAIN_S * 1000)
        return Ended("snoozed", error=msgspec.structs.replace(failure, retry_after_ms=wait_ms))
    return Ended("uncertain", error=failure)


def _failure_of(error: Exception) -> Failure:
    if not isinstance(error, AtalaiaError):
        return Failure("internal_error", f"The handler failed: {words_of(error)}", retryable=True)
    wait_s = error.delay_s if isinstance(error, JobSnoozed) else getattr(error, "retry_after_s", None)
    return Failure(
        error.failure if isinstance(error, JobFailed) else error.code,
        scrub(str(error))[:MAX_MESSAGE],
        retryable=_is_retryable(error),
        retry_after_ms=None if wait_s is None else max(0, round(wait_s * 1000)),
        hint=scrub(error.hint or "")[:MAX_MESSAGE],
    )


def _is_retryable(error: AtalaiaError) -> bool:
    if isinstance(error, JobFailed):
        return error.is_retryable
    return isinstance(error, _PASSING)
