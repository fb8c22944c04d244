"""The framework's application, made quicker: a hub has some 250 addresses, and each took Litestar 2 ms to register."""

from typing import Any, cast

from litestar import Litestar
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin
from litestar.router import Router
from litestar.routes import HTTPRoute
from litestar.types import ControllerRouterHandler


class Application(Litestar):
    """Registers its handlers together. One by one, as Litestar does it, the tables of all of them are made anew for each.

    Handlers of WebSockets are not among them: those are Litestar's to register.
    """

    _is_made = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._is_made = True
        for route in self.routes:
            handlers = route.route_handlers if isinstance(route, HTTPRoute) else [cast("Any", route).route_handler]
            for handler in handlers:
                handler.on_registration(self)
            if isinstance(route, HTTPRoute):
                route.create_handler_map()
            for plugin in self.plugins.receive_route:
                plugin.receive_route(route)
        self.asgi_router.construct_routing_trie()

    def register(self, value: ControllerRouterHandler) -> None:  # type: ignore[override] # as Litestar has it
        if self._is_made:
            super().register(value)
        else:
            Router.register(self, value)

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        """Neither pydantic nor attrs, which are loaded where they happen to be installed; msgspec is what we speak."""
        return [*plugins, MsgspecDIPlugin()]
