"""Who it is, and its settings."""

from collections.abc import Callable
from typing import Any

from atalaia.core.settings import Setting
from atalaia.core.translations import N_
from atalaia.sdk.integration import Manifest


def _setting(name: str, kind: str, default: Any, help: str) -> Setting:
    return Setting(f"integrations.tidewatch.{name}", kind, default, help)


def _is_configured(setting: Callable[[str], Any]) -> bool:
    return bool(setting("url") and setting("api_key"))


MANIFEST = Manifest(
    name="tidewatch",
    title="Tidewatch",
    owner="Harbour office",
    summary=N_("Reads the tide and moves the gate."),
    settings=(
        _setting("url", "str", "", N_("The address of the tide service.")),
        _setting("api_key", "secret", None, N_("The key that the tide service gave you.")),
        _setting("open_networks", "list", (), N_("Networks that may ask for a gate without a key.")),
    ),
    audit_words={"tide.noted": N_("Tide noted")},
    is_configured=_is_configured,
)
