"""Routes and the record of deliveries, as JSON."""

from litestar import Controller, delete, get, patch, post

from atalaia.access.guards import requires
from atalaia.core.permissions import Permission
from atalaia.notify.api.shapes import (
    AnyRequest,
    DeliveryOut,
    Limit,
    RouteIn,
    RouteOut,
    RoutePatch,
    delivery_out,
    route_out,
    route_values,
    who,
)
from atalaia.notify.model.channel import Outcome
from atalaia.notify.service.notify import NotifyService
from atalaia.web.cursors import Listing


class RoutesApi(Controller):
    path = "/api/routes"
    tags = ("Channels",)

    @post(guards=[requires(Permission.CHANNELS_WRITE)], summary="Add a route")
    async def create(self, request: AnyRequest, notify: NotifyService, data: RouteIn) -> RouteOut:
        return route_out(await notify.create_route(*who(request), route_values(data)))

    @get(guards=[requires(Permission.CHANNELS_READ)], summary="List routes")
    async def list_all(self, notify: NotifyService, cursor: str | None = None, limit: Limit = 50) -> Listing[RouteOut]:
        found, following = await notify.routes(cursor=cursor, limit=limit)
        return Listing([route_out(route) for route in found], following)

    @get("/{route_id:str}", guards=[requires(Permission.CHANNELS_READ)], summary="One route")
    async def read(self, notify: NotifyService, route_id: str) -> RouteOut:
        return route_out(await notify.route(route_id))

    @patch("/{route_id:str}", guards=[requires(Permission.CHANNELS_WRITE)], summary="Change a route")
    async def change(self, request: AnyRequest, notify: NotifyService, route_id: str, data: RoutePatch) -> RouteOut:
        return route_out(await notify.change_route(*who(request), route_id, route_values(data)))

    @delete("/{route_id:str}", guards=[requires(Permission.CHANNELS_WRITE)], summary="Remove a route")
    async def remove(self, request: AnyRequest, notify: NotifyService, route_id: str) -> None:
        await notify.delete_route(*who(request), route_id)


class DeliveriesApi(Controller):
    path = "/api/deliveries"
    tags = ("Channels",)

    @get(guards=[requires(Permission.CHANNELS_READ)], summary="Every attempt to deliver, newest first")
    async def list_all(
        self,
        notify: NotifyService,
        *,
        channel: str | None = None,
        incident: str | None = None,
        outcome: Outcome | None = None,
        cursor: str | None = None,
        limit: Limit = 50,
    ) -> Listing[DeliveryOut]:
        found, following = await notify.deliveries(
            cursor=cursor, limit=limit, channel_id=channel, incident_id=incident, outcome=outcome
        )
        return Listing([delivery_out(attempt) for attempt in found], following)
