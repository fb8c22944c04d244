"""Pages of channels."""

from typing import Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.response import Redirect

from atalaia.core.errors import AtalaiaError, Conflict, InvalidField
from atalaia.core.translations import N_
from atalaia.notify import forms
from atalaia.notify.channels.registry import ChannelKinds
from atalaia.notify.model.channel import Channel
from atalaia.notify.pages.deliveries import record_of
from atalaia.notify.pages.requests import READ, WRITE, AnyRequest, Notify, PathText, QueryText, ThePages, form_of, who
from atalaia.notify.service.delivering import Result
from atalaia.notify.service.notify import NotifyService
from atalaia.web.cursors import MAX_LIMIT
from atalaia.web.pages import Pages, locale_of, see_other

_STATE_WORDS = {
    "up": N_("Works"),
    "new": N_("Not used yet"),
    "paused": N_("Off"),
    "degraded": N_("Failing"),
    "down": N_("Messages do not get through"),
}


class ChannelPages(Controller):
    path = "/channels"
    include_in_schema = False

    @get(guards=READ)
    async def overview(self, request: AnyRequest, pages: ThePages, notify: Notify) -> Response[str]:
        channels, _ = await notify.channels(limit=MAX_LIMIT)
        routes, _ = await notify.routes(limit=MAX_LIMIT)
        return await pages.page(
            request,
            "notify/channels.html",
            rows=len(channels) + len(routes),
            title=pages.translator(request).translate("Channels and routes"),
            channels=[_shown(channel, notify.kinds, pages, request) for channel in channels],
            routes=routes,
            waiting=await notify.waiting(),
            has_route=notify.has_route,
        )

    @get("/new", guards=WRITE)
    async def new(self, request: AnyRequest, pages: ThePages, notify: Notify) -> Response[str]:
        values = forms.channel_values(None, notify.kinds, locale=locale_of(request))
        return await _channel_form(request, pages, notify.kinds, values=values)

    @post("/new", guards=WRITE)
    async def create(self, request: AnyRequest, pages: ThePages, notify: Notify) -> Response[str] | Redirect:
        form = await form_of(request)
        kind = form.get("kind", "")
        try:
            channel = await notify.create_channel(
                *who(request),
                name=form.get("name", ""),
                kind=kind,
                locale=form.get("locale", ""),
                is_enabled=form.get("is_enabled") == "on",
                values=forms.kind_values(notify.kinds.of(kind), form),
            )
        except (InvalidField, Conflict) as error:
            return await _channel_again(request, pages, notify.kinds, form, error)
        return see_other(f"/channels/{channel.id}")

    @get("/{channel_id:str}", guards=READ)
    async def show(
        self,
        request: AnyRequest,
        pages: ThePages,
        notify: Notify,
        channel_id: PathText,
        cursor: QueryText = None,
    ) -> Response[str]:
        return await _channel_page(request, pages, notify, channel_id, cursor=cursor)

    @get("/{channel_id:str}/edit", guards=WRITE)
    async def edit(
        self,
        request: AnyRequest,
        pages: ThePages,
        notify: Notify,
        channel_id: PathText,
    ) -> Response[str]:
        channel = await notify.channel(channel_id)
        values = forms.channel_values(channel, notify.kinds, locale=channel.locale)
        return await _channel_form(request, pages, notify.kinds, values=values, channel=channel)

    @post("/{channel_id:str}/edit", guards=WRITE)
    async def change(
        self,
        request: AnyRequest,
        pages: ThePages,
        notify: Notify,
        channel_id: PathText,
    ) -> Response[str] | Redirect:
        channel = await notify.channel(channel_id)
        form = {**await form_of(request), "kind": channel.kind}
        changes = {"name": form.get("name", ""), "locale": form.get("locale", "")}
        try:
            await notify.change_channel(
                *who(request),
                channel_id,
                changes={**changes, "is_enabled": form.get("is_enabled") == "on"},
                values=forms.kind_values(notify.kinds.of(channel.kind), form),
            )
        except (InvalidField, Conflict) as error:
            return await _channel_again(request, pages, notify.kinds, form, error, channel=channel)
        return see_other(f"/channels/{channel_id}")

    @post("/{channel_id:str}/delete", guards=WRITE)
    async def remove(self, request: AnyRequest, notify: Notify, channel_id: PathText) -> Redirect:
        await notify.delete_channel(*who(request), channel_id)
        return see_other("/channels")

    @post("/{channel_id:str}/test", guards=WRITE, status_code=200)
    async def test(
        self,
        request: AnyRequest,
        pages: ThePages,
        notify: Notify,
        channel_id: PathText,
    ) -> Response[str]:
        result = await notify.test_channel(channel_id)
        return await _channel_page(request, pages, notify, channel_id, result=result)

    @get("/{channel_id:str}/deliveries", guards=READ)
    async def rows(
        self,
        request: AnyRequest,
        pages: ThePages,
        notify: Notify,
        channel_id: PathText,
        cursor: QueryText = None,
    ) -> Response[str]:
        context = await record_of(request, pages, notify, f"/channels/{channel_id}", cursor, channel_id=channel_id)
        return await pages.fragment(request, "notify/_deliveries.html", rows=len(context["attempts"]), **context)


def _shown(channel: Channel, kinds: ChannelKinds, pages: Pages, request: AnyRequest) -> dict[str, Any]:
    kind = kinds.of(channel.kind)
    secret_names = {field.name for field in kind.fields if field.is_secret}
    values = {**dict.fromkeys(secret_names, "…"), **channel.settings}
    state = "paused" if not channel.is_enabled else "down" if channel.troubled_since else "up"
    if state == "up" and channel.error:
        state = "degraded"
    elif state == "up" and channel.delivered_at is None:
        state = "new"
    translate = pages.translator(request).translate
    return {
        **msgspec.structs.asdict(channel),
        "kind_label": translate(kind.title),
        "description": kind.describe(values),
        "error": pages.translator(request).retell(channel.error or ""),
        "state": state,
        "state_word": translate(_STATE_WORDS[state]),
    }


async def _channel_page(
    request: AnyRequest,
    pages: Pages,
    notify: NotifyService,
    channel_id: str,
    *,
    cursor: str | None = None,
    result: Result | None = None,
) -> Response[str]:
    channel = await notify.channel(channel_id)
    context = await record_of(request, pages, notify, f"/channels/{channel_id}", cursor, channel_id=channel_id)
    routes, _ = await notify.routes(limit=MAX_LIMIT)
    return await pages.page(
        request,
        "notify/channel.html",
        rows=len(context["attempts"]),
        title=channel.name,
        channel=_shown(channel, notify.kinds, pages, request),
        routes=[route for route in routes if route.channel_id == channel_id],
        result=result,
        said=pages.translator(request).retell(result.status) if result else "",
        **context,
    )


async def _channel_form(
    request: AnyRequest,
    pages: Pages,
    kinds: ChannelKinds,
    *,
    values: dict[str, str],
    channel: Channel | None = None,
    errors: dict[str, str] | None = None,
) -> Response[str]:
    translate = pages.translator(request).translate
    return await pages.page(
        request,
        "notify/channel_form.html",
        status=422 if errors else 200,
        title=translate("Change channel") if channel else translate("New channel"),
        values=values,
        channel=channel,
        errors=errors or {},
        kinds=[kind for kind in forms.kind_cards(kinds, translate) if channel is None or kind["name"] == channel.kind],
        locales=forms.LOCALE_NAMES,
    )


async def _channel_again(
    request: AnyRequest,
    pages: Pages,
    kinds: ChannelKinds,
    form: dict[str, str],
    error: AtalaiaError,
    *,
    channel: Channel | None = None,
) -> Response[str]:
    """The form with what was typed and why it was not taken; secrets have to be typed again."""
    kind = form.get("kind", "")
    hidden = {forms.input_name(kind, field.name): "" for field in kinds.of(kind).fields if field.is_secret}
    base = forms.channel_values(channel, kinds, locale=locale_of(request))
    values = {**base, "is_enabled": "", **form, **hidden}
    errors = forms.channel_errors(error, kind, pages.translator(request))
    return await _channel_form(request, pages, kinds, values=values, channel=channel, errors=errors)
