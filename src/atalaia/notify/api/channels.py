"""Channels, as JSON."""

from litestar import Controller, delete, get, patch, post
from litestar.params import JSONBody

from atalaia.access.guards import requires
from atalaia.core.permissions import Permission
from atalaia.notify.api.shapes import (
    OWN,
    AnyRequest,
    ChannelIn,
    ChannelOut,
    ChannelPatch,
    Limit,
    Notify,
    PathText,
    QueryText,
    TestOut,
    channel_out,
    given_values,
    kind_values,
    test_out,
    who,
)
from atalaia.web.cursors import Listing


class ChannelsApi(Controller):
    path = "/api/channels"
    tags = ("Channels",)

    @post(guards=[requires(Permission.CHANNELS_WRITE)], summary="Add a channel")
    async def create(self, request: AnyRequest, notify: Notify, data: JSONBody[ChannelIn]) -> ChannelOut:
        channel = await notify.create_channel(
            *who(request),
            name=data.name,
            kind=data.kind,
            locale=data.locale,
            is_enabled=data.is_enabled,
            values=kind_values(data),
        )
        return channel_out(channel, request)

    @get(guards=[requires(Permission.CHANNELS_READ)], summary="List channels")
    async def list_all(
        self, request: AnyRequest, notify: Notify, cursor: QueryText = None, limit: Limit = 50
    ) -> Listing[ChannelOut]:
        found, following = await notify.channels(cursor=cursor, limit=limit)
        return Listing([channel_out(channel, request) for channel in found], following)

    @get("/{channel_id:str}", guards=[requires(Permission.CHANNELS_READ)], summary="One channel")
    async def read(self, request: AnyRequest, notify: Notify, channel_id: PathText) -> ChannelOut:
        return channel_out(await notify.channel(channel_id), request)

    @patch("/{channel_id:str}", guards=[requires(Permission.CHANNELS_WRITE)], summary="Change a channel")
    async def change(
        self,
        request: AnyRequest,
        notify: Notify,
        channel_id: PathText,
        data: JSONBody[ChannelPatch],
    ) -> ChannelOut:
        given = given_values(data)
        channel = await notify.change_channel(
            *who(request),
            channel_id,
            changes={name: value for name, value in given.items() if name in OWN},
            values=kind_values(data),
        )
        return channel_out(channel, request)

    @delete("/{channel_id:str}", guards=[requires(Permission.CHANNELS_WRITE)], summary="Remove a channel")
    async def remove(self, request: AnyRequest, notify: Notify, channel_id: PathText) -> None:
        await notify.delete_channel(*who(request), channel_id)

    @post(
        "/{channel_id:str}/test",
        guards=[requires(Permission.CHANNELS_WRITE)],
        status_code=200,
        summary="Send a test message and wait for the answer",
    )
    async def test(self, notify: Notify, channel_id: PathText) -> TestOut:
        return test_out(await notify.test_channel(channel_id))
