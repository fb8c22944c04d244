"""The JSON of upstreams. Never a token, but to a worker that asks for it."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from atalaia.sdk.upstreams import CallOutcome
from atalaia.upstreams.model.records import MAX_NAME, Failure, OperationSummary, Summary
from atalaia.upstreams.model.views import AccountView, BreakerView, Standing, TokenView, UpstreamView

Account = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
MAX_CALLS = 1000
MAX_ERROR = 500


class SummaryOut(msgspec.Struct, frozen=True):
    """`success_rate` is from 0 to 1; `held_back` calls were stopped by the breaker and are no part of `calls`."""

    calls: int
    success_rate: float | None
    held_back: int
    p50_ms: float | None
    p95_ms: float | None
    max_ms: float | None


class AccountOut(msgspec.Struct, frozen=True):
    account: str
    breaker: BreakerView
    token: TokenView | None


class UpstreamOut(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    title: str
    state: Standing
    is_configured: bool
    reason: str | None
    failing_since: datetime | None
    last_hour: SummaryOut
    last_day: SummaryOut
    accounts: list[AccountOut]


class UpstreamDetail(UpstreamOut, frozen=True, kw_only=True):
    operations: list["OperationOut"]
    runbook: str
    contacts: str


class OperationOut(msgspec.Struct, frozen=True):
    operation: str
    last_day: SummaryOut


class FailureOut(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    at: datetime
    account: str
    operation: str
    outcome: str
    status: int | None
    error: str
    duration_ms: float


class AccountIn(msgspec.Struct, forbid_unknown_fields=True):
    account: Account = "default"


class TokenGiven(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    token: str
    account: Account = "default"


class NotesIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    runbook: str = ""
    contacts: str = ""


class TokenWanted(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`rejected_generation`: that one is known not to work any more."""

    rejected_generation: int | None = None
    account: Account = "default"


class TokenOut(msgspec.Struct, frozen=True):
    token: str
    generation: int
    expires_at: datetime | None


class CallIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    account: Account = "default"
    operation: Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
    outcome: CallOutcome
    duration_ms: Annotated[float, Meta(ge=0, le=86_400_000)]
    at: Annotated[datetime, Meta(tz=True)]
    status: Annotated[int, Meta(ge=0, le=9999)] | None = None
    error: Annotated[str, Meta(max_length=MAX_ERROR)] = ""


class CallsIn(msgspec.Struct, forbid_unknown_fields=True):
    items: Annotated[list[CallIn], Meta(max_length=MAX_CALLS)]


class BreakerOut(msgspec.Struct, frozen=True):
    """`retry_after_s`: until then nothing is to be called."""

    state: Literal["closed", "open", "trial"]
    retry_after_s: float


class CallsOut(msgspec.Struct, frozen=True):
    """By account."""

    breakers: dict[str, BreakerOut]


class TrialOut(msgspec.Struct, frozen=True):
    """`granted`: this caller may make one call; how it ends decides."""

    granted: bool
    state: Literal["closed", "open", "trial"]
    retry_after_s: float


class LineOut(msgspec.Struct, frozen=True):
    labels: dict[str, str]
    times: list[int]
    values: list[float | None]


class SeriesOut(msgspec.Struct, frozen=True):
    items: list[LineOut]


def summary_out(summary: Summary) -> SummaryOut:
    rounded = [None if ms is None else round(ms, 1) for ms in (summary.p50_ms, summary.p95_ms, summary.max_ms)]
    return SummaryOut(summary.calls, summary.success_rate, summary.held_back, *rounded)


def upstream_out(view: UpstreamView) -> UpstreamOut:
    return UpstreamOut(
        name=view.name,
        title=view.title,
        state=view.state,
        is_configured=view.is_configured,
        reason=view.reason,
        failing_since=view.failing_since,
        last_hour=summary_out(view.hour),
        last_day=summary_out(view.day),
        accounts=[_account_out(account) for account in view.accounts],
    )


def operation_out(each: OperationSummary) -> OperationOut:
    return OperationOut(each.operation, summary_out(each.summary))


def failure_out(failure: Failure) -> FailureOut:
    values = {name: getattr(failure, name) for name in FailureOut.__struct_fields__}
    return FailureOut(**{**values, "duration_ms": round(failure.duration_ms, 1)})


def _account_out(view: AccountView) -> AccountOut:
    return AccountOut(view.account, view.breaker, view.token)
