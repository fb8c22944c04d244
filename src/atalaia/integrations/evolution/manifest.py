"""Who this integration is, and its settings."""

from collections.abc import Callable
from typing import Any, Final

from atalaia.core.settings import Setting
from atalaia.core.translations import N_
from atalaia.sdk.integration import Manifest

NAME: Final = "evolution"
TITLE: Final = "Evolution API"
_REQUIRED: Final = ("base_url", "api_key", "instance")


def _setting(name: str, kind: str, default: Any, words: str, **more: Any) -> Setting:
    return Setting(f"integrations.{NAME}.{name}", kind, default, words, **more)


SETTINGS: Final = (
    _setting(
        "base_url",
        "str",
        "",
        N_("The address of your Evolution API, as https://whatsapp.example.org."),
        title=N_("Address of the API"),
    ),
    _setting(
        "api_key", "secret", None, N_("The key that your Evolution API asks for (header apikey)."), title=N_("API key")
    ),
    _setting("instance", "str", "", N_("The name of the instance that messages are sent from."), title=N_("Instance")),
    _setting(
        "takes_answers",
        "bool",
        False,
        N_(
            "Whether your Evolution API tells this hub what people answer (webhook); notices then say how to stop them."
        ),
        title=N_("Answers reach this hub"),
    ),
    _setting(
        "ask_every_s",
        "float",
        60.0,
        N_("Seconds between two questions whether WhatsApp is connected; holds from the next start."),
        title=N_("Connection checked every"),
        minimum=1,
        maximum=600,
    ),
    _setting(
        "closed_after_s",
        "float",
        120.0,
        N_("Seconds for which WhatsApp is not connected, after which that is an incident."),
        title=N_("Incident if disconnected for"),
        minimum=0,
        maximum=86_400,
    ),
)


def is_configured(setting: Callable[[str], Any]) -> bool:
    return all(setting(name) for name in _REQUIRED)


MANIFEST: Final = Manifest(
    name=NAME,
    title=TITLE,
    owner="Atalaia",
    summary=N_("WhatsApp messages to phone numbers: a kind of channel, and a watch over its connection."),
    settings=SETTINGS,
    is_configured=is_configured,
)
