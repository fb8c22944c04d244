"""What is kept of an upstream, put together as it is shown."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from atalaia.core.clock import from_ms, to_ms
from atalaia.outbound.breaker import shown_phase
from atalaia.sdk.transaction import Tx
from atalaia.upstreams.model.logins import TokenRow
from atalaia.upstreams.model.records import Summary, summary_of
from atalaia.upstreams.model.registered import Key, Registered
from atalaia.upstreams.model.views import AccountView, BreakerView, UpstreamView, standing_of, token_view, trouble_of
from atalaia.upstreams.queries import breakers as breaker_queries
from atalaia.upstreams.queries import records as record_queries
from atalaia.upstreams.queries import tokens as token_queries
from atalaia.upstreams.queries.breakers import Kept

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def read_views(
    tx: Tx, registered: Iterable[Registered], *, now: datetime, name: str | None = None
) -> list[UpstreamView]:
    """All of them, or the one of that name; as the store has them, so also for a command beside the hub."""
    hour = record_queries.sums_since(tx, now - HOUR, upstream=name)
    day = record_queries.sums_since(tx, now - DAY, upstream=name)
    breakers, tokens = breaker_queries.everything(tx), token_queries.everything(tx)
    return [
        view_of(
            each,
            hour=summary_of(minute for minute in hour if minute.upstream == each.declaration.name),
            day=summary_of(minute for minute in day if minute.upstream == each.declaration.name),
            accounts=account_views(each, breakers, tokens, now=now),
        )
        for each in registered
        if name in {None, each.declaration.name}
    ]


def shown_state(view: UpstreamView) -> str:
    """One of the states that pages know; an unconfigured one rests."""
    return "paused" if view.state == "unconfigured" else str(view.state)


def view_of(registered: Registered, *, hour: Summary, day: Summary, accounts: Sequence[AccountView]) -> UpstreamView:
    is_configured = registered.is_configured()
    reason, since = trouble_of(accounts)
    return UpstreamView(
        name=registered.declaration.name,
        title=registered.declaration.title,
        is_configured=is_configured,
        has_login=registered.declaration.login is not None,
        state=standing_of(accounts, hour, is_configured=is_configured),
        reason=reason,
        failing_since=since,
        hour=hour,
        day=day,
        accounts=accounts,
    )


def account_views(
    registered: Registered, breakers: Mapping[Key, Kept], tokens: Mapping[Key, TokenRow], *, now: datetime
) -> list[AccountView]:
    declared = registered.declaration
    has_login = declared.login is not None
    return [
        _account_view((declared.name, account), breakers, tokens, has_login=has_login, now=now)
        for account in declared.accounts()
    ]


def _account_view(
    key: Key, breakers: Mapping[Key, Kept], tokens: Mapping[Key, TokenRow], *, has_login: bool, now: datetime
) -> AccountView:
    kept = breakers.get(key) or Kept()
    state = kept.state
    phase = shown_phase(state, now_ms=to_ms(now))
    breaker = BreakerView(
        phase=phase,
        trial_at=from_ms(state.until_ms) if phase == "open" else None,
        failing_since=kept.failing_since,
        failures_in_row=state.in_row,
        reason=kept.reason,
    )
    row = tokens.get(key) or TokenRow(upstream=key[0], account=key[1])
    return AccountView(account=key[1], breaker=breaker, token=token_view(row, has_login=has_login))
