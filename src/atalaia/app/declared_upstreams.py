"""The upstreams that integrations declare, with the way to their settings and how far their addresses are trusted."""

from collections.abc import Callable, Sequence

from atalaia.app.integrations import setting_getter
from atalaia.core.settings import INTEGRATIONS, Settings
from atalaia.integrations import Loaded, find_integrations
from atalaia.outbound.guard import Trust
from atalaia.sdk.integration import Manifest
from atalaia.upstreams.model.registered import Registered


def declared_upstreams(settings: Settings, found: Sequence[Loaded] | None = None) -> list[Registered]:
    """One name is one upstream: of two the first stands."""
    made: dict[str, Registered] = {}
    for loaded in find_integrations() if found is None else found:
        if loaded.integration is None:
            continue
        manifest = loaded.integration.manifest
        getter = setting_getter(settings, loaded.name)
        for declaration in loaded.integration.upstreams:
            made.setdefault(
                declaration.name,
                Registered(
                    declaration,
                    getter,
                    is_configured=_is_configured(manifest, settings, loaded.name),
                    trust=_trust(manifest, settings),
                ),
            )
    return list(made.values())


def _is_configured(manifest: Manifest, settings: Settings, name: str) -> Callable[[], bool]:
    return lambda: bool(manifest.is_configured(setting_getter(settings, name)))


def _trust(manifest: Manifest, settings: Settings) -> Callable[[], Trust]:
    """An address that was typed on the settings page may not lead into the hub's own network; asked for every call."""
    keys = [
        setting.key
        for setting in manifest.settings
        if setting.kind != "secret" and setting.key.startswith(f"{INTEGRATIONS}.")
    ]

    def trust() -> Trust:
        values = (settings.lookup(key) for key in keys)
        is_typed = any(value.source == "page" and "://" in str(value.value) for value in values)
        return Trust.TYPED if is_typed else Trust.CONFIGURED

    return trust
