"""The record of deliveries, as a page and as a part of a channel's."""

from typing import Any

import msgspec
from litestar import Controller, Response, get
from litestar.params import FromQuery

from atalaia.core.translations import N_
from atalaia.notify.model.channel import Attempt, Outcome
from atalaia.notify.pages.requests import READ, AnyRequest, Notify, QueryText, ThePages, who
from atalaia.notify.service.direct import shown_attempt
from atalaia.notify.service.notify import NotifyService
from atalaia.web.pages import Pages

_EVENT_WORDS = {
    "incident.opened": N_("Opened"),
    "incident.repeated": N_("Reminder"),
    "incident.recovered": N_("Recovered"),
    "test": N_("Test"),
    "direct": N_("To a person"),
}
_OUTCOME_WORDS = {
    Outcome.DELIVERED: ("up", N_("Delivered")),
    Outcome.RETRIED: ("degraded", N_("Tried again")),
    Outcome.DEAD: ("down", N_("Given up")),
    Outcome.UNKNOWN: ("unknown", N_("Unknown if sent")),
    Outcome.EXPIRED: ("paused", N_("Too late, not sent")),
}


class DeliveryPages(Controller):
    path = "/deliveries"
    include_in_schema = False

    @get(guards=READ)
    async def overview(
        self,
        request: AnyRequest,
        pages: ThePages,
        notify: Notify,
        outcome: FromQuery[str] = "",
        cursor: QueryText = None,
    ) -> Response[str]:
        context = await record_of(request, pages, notify, "/deliveries", cursor, outcome=outcome_of(outcome))
        translate = pages.translator(request).translate
        return await pages.page(
            request,
            "notify/deliveries.html",
            rows=len(context["attempts"]),
            title=translate("Deliveries"),
            outcomes=[(name.value, translate(word)) for name, (_, word) in _OUTCOME_WORDS.items()],
            **context,
        )

    @get("/rows", guards=READ)
    async def rows(
        self,
        request: AnyRequest,
        pages: ThePages,
        notify: Notify,
        outcome: FromQuery[str] = "",
        cursor: QueryText = None,
    ) -> Response[str]:
        context = await record_of(request, pages, notify, "/deliveries", cursor, outcome=outcome_of(outcome))
        return await pages.fragment(request, "notify/_deliveries.html", rows=len(context["attempts"]), **context)


def outcome_of(text: str) -> str | None:
    return text if text in set(Outcome) else None


async def record_of(
    request: AnyRequest,
    pages: Pages,
    notify: NotifyService,
    path: str,
    cursor: str | None,
    *,
    channel_id: str | None = None,
    outcome: str | None = None,
) -> dict[str, Any]:
    attempts, following = await notify.deliveries(cursor=cursor, channel_id=channel_id, outcome=outcome)
    return {
        "attempts": [_attempt(shown_attempt(each, who(request)[0]), pages, request) for each in attempts],
        "next": following,
        "params": dict(request.query_params),
        "rows_path": path,
        "one_channel": channel_id is not None,
    }


def _attempt(attempt: Attempt, pages: Pages, request: AnyRequest) -> dict[str, Any]:
    translate = pages.translator(request).translate
    state, word = _OUTCOME_WORDS[Outcome(attempt.outcome)]
    return {
        **msgspec.structs.asdict(attempt),
        "state": state,
        "outcome_word": translate(word),
        "status": pages.translator(request).retell(attempt.status),
        "event_word": translate(_EVENT_WORDS.get(attempt.event, attempt.event)),
        # Of a message through no channel it is what its kind is called, a key of the translations.
        "channel_name": attempt.channel_name if attempt.channel_id else translate(attempt.channel_name),
    }
