"""Routes and the record of deliveries, as JSON."""

from litestar import Controller, delete, get, patch, post
from litestar.params import FromQuery, JSONBody

from atalaia.access.guards import requires
from atalaia.core.permissions import Permission
from atalaia.notify.api.shapes import (
    AnyRequest,
    DeliveryOut,
    Limit,
    Notify,
    PathText,
    QueryText,
    RouteIn,
    RouteOut,
    RoutePatch,
    delivery_out,
    route_out,
    route_values,
    who,
)
from atalaia.notify.model.channel import Outcome
from atalaia.notify.service.direct import shown_attempt
from atalaia.web.cursors import Listing


class RoutesApi(Controller):
    path = "/api/routes"
    tags = ("Channels",)

    @post(guards=[requires(Permission.CHANNELS_WRITE)], summary="Add a route")
    async def create(self, request: AnyRequest, notify: Notify, data: JSONBody[RouteIn]) -> RouteOut:
        return route_out(await notify.create_route(*who(request), route_values(data)))

    @get(guards=[requires(Permission.CHANNELS_READ)], summary="List routes")
    async def list_all(self, notify: Notify, cursor: QueryText = None, limit: Limit = 50) -> Listing[RouteOut]:
        found, following = await notify.routes(cursor=cursor, limit=limit)
        return Listing([route_out(route) for route in found], following)

    @get("/{route_id:str}", guards=[requires(Permission.CHANNELS_READ)], summary="One route")
    async def read(self, notify: Notify, route_id: PathText) -> RouteOut:
        return route_out(await notify.route(route_id))

    @patch("/{route_id:str}", guards=[requires(Permission.CHANNELS_WRITE)], summary="Change a route")
    async def change(
        self,
        request: AnyRequest,
        notify: Notify,
        route_id: PathText,
        data: JSONBody[RoutePatch],
    ) -> RouteOut:
        return route_out(await notify.change_route(*who(request), route_id, route_values(data)))

    @delete("/{route_id:str}", guards=[requires(Permission.CHANNELS_WRITE)], summary="Remove a route")
    async def remove(self, request: AnyRequest, notify: Notify, route_id: PathText) -> None:
        await notify.delete_route(*who(request), route_id)


class DeliveriesApi(Controller):
    path = "/api/deliveries"
    tags = ("Channels",)

    @get(guards=[requires(Permission.CHANNELS_READ)], summary="Every attempt to deliver, newest first")
    async def list_all(
        self,
        request: AnyRequest,
        notify: Notify,
        *,
        channel: QueryText = None,
        incident: QueryText = None,
        outcome: FromQuery[Outcome | None] = None,
        cursor: QueryText = None,
        limit: Limit = 50,
    ) -> Listing[DeliveryOut]:
        found, following = await notify.deliveries(
            cursor=cursor, limit=limit, channel_id=channel, incident_id=incident, outcome=outcome
        )
        reader, _ = who(request)
        return Listing([delivery_out(shown_attempt(attempt, reader)) for attempt in found], following)
