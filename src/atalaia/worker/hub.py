"""The hub as a worker speaks to it. One for each event loop: renewals have a connection of their own."""

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeVar
from urllib.parse import quote

import msgspec
import structlog

from atalaia.core.errors import AtalaiaError
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient
from atalaia.outbound.limits import Limits
from atalaia.outbound.response import Response
from atalaia.runs.outcome import Ended
from atalaia.sdk.failures import TemporaryFailure
from atalaia.sdk.jobs import StepRecord
from atalaia.worker.options import WorkerOptions

T = TypeVar("T")
log = structlog.get_logger()
WorkerWord = Literal["run", "drain", "stop"]
WORD_HEADER: Final = "X-Atalaia-Worker"
_ANSWER_S: Final = 10.0
_BODY_BYTES: Final = 64 * 1024 * 1024


class KeyRefused(AtalaiaError):
    """The hub does not take the worker's key: no use in going on."""

    code = "worker_key_refused"


class Refused(AtalaiaError):
    """The hub took a request for wrong; `status` says how."""

    code = "worker_request_refused"

    def __init__(self, message: str, *, status: int, **params: Any) -> None:
        super().__init__(message, status=status, **params)
        self.status = status


class LeasedJob(msgspec.Struct, frozen=True):
    """As the hub hands it out."""

    id: str
    type: str
    payload_raw: str
    payload_sha256: str
    attempt: int
    token: str
    ttl_ms: int
    deadline_ms: int = 0
    mode: Literal["run", "resolve"] = "run"
    context_etag: str = ""
    earlier: list[StepRecord] = []


class Leases(msgspec.Struct, frozen=True):
    jobs: list[LeasedJob] = []
    worker: WorkerWord = "run"


class Renewal(msgspec.Struct, frozen=True):
    id: str
    token: str
    steps: list[StepRecord] = []


class Renewed(msgspec.Struct, frozen=True):
    id: str
    state: Literal["ok", "cancel", "lost"]
    ttl_ms: int = 0


class Renewals(msgspec.Struct, frozen=True):
    items: list[Renewed] = []
    worker: WorkerWord = "run"


class Context(msgspec.Struct, frozen=True):
    etag: str = ""
    settings: dict[str, Any] = {}
    templates: dict[str, Any] = {}


class HubApi:
    """Raises TemporaryFailure where the hub can't be reached or is busy, KeyRefused, and Refused for all else."""

    def __init__(self, options: WorkerOptions) -> None:
        self._options = options
        self._is_untouched = False
        self.url = options.hub.rstrip("/")
        # The address is the operator's own: private networks are meant.
        self.http = HttpClient(Guard(allow_private=True), user_agent=f"Atalaia-worker/{options.version}")
        self.headers = {"Authorization": f"Bearer {options.key}", "Content-Type": "application/json"}

    async def lease(
        self, types: list[str], *, resolves: list[str], count: int, wait_s: float, request_id: str
    ) -> Leases:
        """None may come; `worker` then is what the answer's header says."""
        asked = {
            "worker_id": self._options.name,
            "incarnation": self._options.incarnation,
            "types": types,
            "resolves": resolves,
            "max": count,
            "wait_s": wait_s,
            "ttl_s": self._options.ttl_s,
            "request_id": request_id,
            "version": self._options.version,
            "commit": self._options.commit,
        }
        answer = await self._post("/api/leases", asked, within_s=wait_s + _ANSWER_S)
        if not answer.body:
            return Leases(worker=_word(answer.headers))
        return _read(answer, Leases)

    async def renew(self, items: list[Renewal], *, within_s: float = _ANSWER_S) -> Renewals:
        asked = {"worker_id": self._options.name, "incarnation": self._options.incarnation, "items": items}
        return _read(await self._post("/api/leases/renew", asked, within_s=within_s), Renewals)

    async def complete(self, job_id: str, token: str, ended: Ended, *, steps: list[StepRecord]) -> None:
        asked: dict[str, Any] = {"token": token, "outcome": ended.outcome}
        if ended.result is not None:
            asked["result"] = ended.result
        if ended.error is not None:
            asked["error"] = ended.error
        if steps:
            asked["steps"] = steps
        await self._post(f"/api/jobs/{job_id}/complete", asked, within_s=_ANSWER_S)

    async def context(self, job_type: str) -> Context:
        return _read(
            await self._send("GET", f"/api/worker/context/{quote(job_type, safe='')}", None, within_s=_ANSWER_S),
            Context,
        )

    async def aclose(self) -> None:
        await self.http.aclose()

    async def _post(self, path: str, value: Any, *, within_s: float) -> Response:
        return await self._send("POST", path, msgspec.json.encode(value), within_s=within_s)

    async def _send(self, method: str, path: str, body: bytes | None, *, within_s: float) -> Response:
        limits = Limits(read_s=within_s, whole_s=within_s, body_bytes=_BODY_BYTES)
        answer = await self.http.request(
            method,
            self.url + path,
            headers=self.headers,
            body=body,
            trust=Trust.CONFIGURED,
            limits=limits,
            is_repeatable=True,  # each is safe to repeat: by request id, by step number, by token
        )
        _raise_unless_taken(answer)
        self._touch()
        return answer

    def _touch(self) -> None:
        """A disk that is full or can't be written is no reason to let go of a lease: the file's age tells whoever looks at it."""
        if self._options.health_file is None:
            return
        try:
            self._options.health_file.touch()
        except OSError as error:
            if not self._is_untouched:
                log.warning("health_file_not_written", file=str(self._options.health_file), reason=error.strerror)
            self._is_untouched = True
        else:
            self._is_untouched = False


def _word(headers: Mapping[str, str]) -> WorkerWord:
    word = headers.get(WORD_HEADER, "run")
    return "stop" if word == "stop" else "drain" if word == "drain" else "run"


def _raise_unless_taken(answer: Response) -> None:
    if answer.is_success:
        return
    said = _said(answer)
    if answer.status in {401, 403}:
        raise KeyRefused(
            "The hub refuses this worker's key: {why}",
            hint="It needs the scope jobs:work: atalaia key create.",
            why=said,
        )
    if answer.status >= 500 or answer.status in {408, 429}:  # noqa: PLR2004 - the class of HTTP status
        wait_s = answer.headers.get("Retry-After", "")
        raise TemporaryFailure(
            "The hub answered {status}: {why}",
            retry_after_s=float(wait_s) if wait_s.isdigit() else None,
            status=answer.status,
            why=said,
        )
    raise Refused("The hub answered {status}: {why}", status=answer.status, why=said)


def _said(answer: Response) -> str:
    try:
        error = msgspec.json.decode(answer.body)["error"]
        return str(error["message"])
    except (msgspec.MsgspecError, KeyError, TypeError):
        return "no reason given"


def _read(answer: Response, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except msgspec.MsgspecError as error:
        raise TemporaryFailure("What answers is not the hub: {why}", why=str(error)) from error
