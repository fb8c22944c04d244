"""An upstream as the hub knows it: what its integration declared, and how to ask for its settings."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from atalaia.core.errors import NotFound
from atalaia.core.translations import N_
from atalaia.outbound.guard import Trust
from atalaia.sdk.upstreams import UpstreamDeclaration

Key = tuple[str, str]
"""Upstream and account."""


class Registered(NamedTuple):
    """`trust`: whether its addresses were typed on the settings page, or stand in a file or the environment."""

    declaration: UpstreamDeclaration
    setting: Callable[[str], Any] = lambda _name: None
    is_configured: Callable[[], bool] = lambda: True
    trust: Callable[[], Trust] = lambda: Trust.TYPED

    @property
    def polling_interval_s(self) -> float | None:
        """As people have set it, else as it is declared."""
        name = self.declaration.polling_setting
        chosen = self.setting(name) if name else None
        return self.declaration.polling_interval_s if chosen is None else float(chosen)


class Registry:
    """All upstreams by name, in the order in which they were declared."""

    def __init__(self, registered: Mapping[str, Registered]) -> None:
        self._registered = registered

    def find(self, name: str) -> Registered:
        """Raises: NotFound."""
        found = self._registered.get(name)
        if found is None:
            raise NotFound(N_("there is no such upstream"))
        return found

    def declared(self, name: str) -> UpstreamDeclaration:
        return self.find(name).declaration

    def all(self) -> list[Registered]:
        return list(self._registered.values())

    def accounts(self) -> list[Key]:
        return [(each.declaration.name, account) for each in self.all() for account in each.declaration.accounts()]
