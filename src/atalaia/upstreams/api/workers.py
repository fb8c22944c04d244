"""What workers ask and tell; docs/guides/upstreams.md has the wire."""

from litestar import get, post
from litestar.params import FromQuery, JSONBody

from atalaia.access.guards import requires
from atalaia.core.permissions import Permission
from atalaia.sdk.upstreams import CallRecord
from atalaia.upstreams.api.shapes import (
    AccountIn,
    BreakerOut,
    CallIn,
    CallsIn,
    CallsOut,
    TokenOut,
    TokenWanted,
    TrialOut,
)
from atalaia.upstreams.edges import Name, Upstreams

_TAGS = ["Upstreams"]
_WORK = [requires(Permission.JOBS_WORK)]


@post(
    "/api/upstreams/{name:str}/token",
    guards=_WORK,
    tags=_TAGS,
    status_code=200,
    summary="A session token for a worker; one login for all who ask",
)
async def hand_out_token(upstreams: Upstreams, name: Name, data: JSONBody[TokenWanted]) -> TokenOut:
    token = await upstreams.token(name, account=data.account, rejected=data.rejected_generation)
    return TokenOut(token.value.reveal(), token.generation, token.expires_at)


@post(
    "/api/upstreams/{name:str}/calls",
    guards=_WORK,
    tags=_TAGS,
    status_code=200,
    summary="Report calls; the answer has the breakers of the accounts that were named",
)
async def take_calls(upstreams: Upstreams, name: Name, data: JSONBody[CallsIn]) -> CallsOut:
    verdicts = await upstreams.take_calls(name, [upstreams.on_time(_call(name, item)) for item in data.items])
    return CallsOut(
        {account: BreakerOut(verdict.state, verdict.retry_after_s) for account, verdict in verdicts.items()}
    )


@get("/api/upstreams/{name:str}/breaker", guards=_WORK, tags=_TAGS, summary="The breaker of one account")
async def read_breaker(upstreams: Upstreams, name: Name, account: FromQuery[str] = "default") -> BreakerOut:
    verdict = upstreams.breaker(name, account=account)
    return BreakerOut(verdict.state, verdict.retry_after_s)


@post(
    "/api/upstreams/{name:str}/breaker/trial",
    guards=_WORK,
    tags=_TAGS,
    status_code=200,
    summary="Ask to make the one trial call",
)
async def ask_for_trial(upstreams: Upstreams, name: Name, data: JSONBody[AccountIn]) -> TrialOut:
    verdict = await upstreams.try_it(name, account=data.account)
    return TrialOut(verdict.is_granted, verdict.state, verdict.retry_after_s)


def _call(name: str, item: CallIn) -> CallRecord:
    return CallRecord(
        upstream=name,
        account=item.account,
        operation=item.operation,
        outcome=item.outcome,
        duration_ms=item.duration_ms,
        at=item.at,
        status=item.status,
        error=item.error,
    )


ROUTES = (hand_out_token, take_calls, read_breaker, ask_for_trial)
