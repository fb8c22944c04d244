"""What the doctor says of integrations: whether each can be loaded, and has what it needs."""

from collections.abc import Callable, Iterator

from atalaia.app.integrations import setting_getter
from atalaia.core.errors import ConfigError
from atalaia.core.settings import INTEGRATIONS, Settings
from atalaia.integrations import find_integrations
from atalaia.store.diagnosis import Finding, error, ok


def examine_integrations(load: Callable[[], Settings]) -> Iterator[Finding]:
    """Settings of the page are not asked: they are in the store."""
    try:
        settings = load()
    except ConfigError:  # said by the look at the settings
        return
    for loaded in find_integrations():
        subject = f"{INTEGRATIONS}.{loaded.name}"
        if loaded.integration is None:
            yield error(subject, f"can't be loaded: {loaded.trouble}", "Install it anew, or remove it.")
            continue
        is_configured = loaded.integration.manifest.is_configured(setting_getter(settings, loaded.name))
        yield ok(subject, "configured" if is_configured else "not configured by atalaia.toml or the environment")
