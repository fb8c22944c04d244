"""The hot routes of agents: plans by long poll, records in."""

from typing import Any, TypeVar

import msgspec
from litestar.exceptions import MethodNotAllowedException

from atalaia.access.authenticator import Authenticator
from atalaia.agents.api.document import PLAN_DOCUMENT, RECORDS_DOCUMENT
from atalaia.agents.model.wire import Batch, PlanQuestion
from atalaia.agents.service import AgentsService
from atalaia.core.errors import BadInput
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.sdk.contribution import HotRoute
from atalaia.web.answers import send_json, send_nothing
from atalaia.web.bodies import check_media, read_body

PLAN_PATH = "/api/agents/plan"
RECORDS_PATH = "/api/agents/records"
MAX_WIRE_BYTES = 1_048_576
MAX_UNPACKED_BYTES = 20 * 1_048_576
MAX_QUESTION_BYTES = 16_384
_JSON = "application/json"

T = TypeVar("T")
_batch = msgspec.json.Decoder(Batch)
_question = msgspec.json.Decoder(PlanQuestion)


class AgentWire:
    def __init__(self, agents: AgentsService, authenticator: Authenticator) -> None:
        self._agents = agents
        self._authenticator = authenticator

    def routes(self) -> tuple[HotRoute, ...]:
        return (
            HotRoute(PLAN_PATH, self.plan, Permission.AGENT_WORK, {PLAN_PATH: PLAN_DOCUMENT}, is_counted=False),
            HotRoute(RECORDS_PATH, self.records, Permission.AGENT_WORK, {RECORDS_PATH: RECORDS_DOCUMENT}),
        )

    async def plan(self, scope: Any, receive: Any, send: Any) -> None:
        _check_method(scope)
        principal = await self._authenticator.require_key(scope, Permission.AGENT_WORK)
        check_media(scope, _JSON)
        body = await read_body(scope, receive, limit=MAX_QUESTION_BYTES)
        question = decode(_question, body)
        known = await self._agents.identify(principal, question.agent)
        # Without an etag the answer comes at once: the agent has nothing to go on with.
        wait_s = question.wait_s if question.etag else 0.0
        plan = await self._agents.plan(known, etag=question.etag, wait_s=wait_s)
        if plan is None:
            await send_nothing(send)
        else:
            await send_json(send, 200, plan)

    async def records(self, scope: Any, receive: Any, send: Any) -> None:
        _check_method(scope)
        principal = await self._authenticator.require_key(scope, Permission.AGENT_WORK)
        check_media(scope, _JSON)
        body = await read_body(scope, receive, limit=MAX_WIRE_BYTES, unpacked_limit=MAX_UNPACKED_BYTES)
        batch = decode(_batch, body)
        known = await self._agents.identify(principal, batch.agent)
        receipt = await self._agents.take(known, batch, address=scope["state"].get("client"))
        await send_json(send, 200, receipt)


def decode(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """The typed value.

    Raises:
        BadInput: not JSON.
        msgspec.ValidationError: a wrong field, which it names.
    """
    if b"\\u0000" in body:  # no database takes NUL in a text; the rest of what was measured is worth keeping
        body = body.replace(b"\\u0000", b"\\ufffd")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(N_("the body is not JSON")) from error


def _check_method(scope: Any) -> None:
    if scope["method"] != "POST":
        raise MethodNotAllowedException
