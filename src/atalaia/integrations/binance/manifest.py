"""Who this integration is, and its settings."""

from typing import Any, Final

from atalaia.core.settings import Setting
from atalaia.core.translations import N_
from atalaia.integrations.binance.audit_words import AUDIT_WORDS
from atalaia.sdk.integration import Manifest

NAME: Final = "binance"
BASE_URL: Final = "https://fapi.binance.com"
RESTRICTIONS_URL: Final = "https://api.binance.com"


def _setting(name: str, kind: str, default: Any, words: str, **more: Any) -> Setting:
    return Setting(f"integrations.{NAME}.{name}", kind, default, words, **more)


SETTINGS: Final = (
    _setting(
        "base_url", "str", BASE_URL, N_("The address of the exchange's futures."), title=N_("Address of the futures")
    ),
    _setting(
        "restrictions_url",
        "str",
        "",
        N_(
            "The address that says what an API key may do. Empty: the exchange's own, or base_url where that is another."
        ),
        title=N_("Address of key permissions"),
    ),
    _setting(
        "recv_window_ms",
        "int",
        5000,
        N_("Milliseconds after which the exchange takes a request no more; how long an unknown outcome stays open."),
        title=N_("Requests valid for"),
        minimum=100,
        maximum=60_000,
    ),
    _setting(
        "max_price_age_s",
        "float",
        5.0,
        N_("Seconds; a price that is older decides nothing."),
        title=N_("Prices usable for"),
        minimum=0.1,
        maximum=60,
    ),
    _setting(
        "positions_every_s",
        "float",
        15.0,
        N_("Seconds between two readings of the positions while half of the exchange's limit is used."),
        title=N_("Positions read every"),
        minimum=1,
        maximum=300,
    ),
    _setting(
        "rates_every_s",
        "float",
        300.0,
        N_("Seconds between two readings of funding and commission rates."),
        title=N_("Rates read every"),
        minimum=10,
        maximum=86_400,
    ),
)


MANIFEST: Final = Manifest(
    name=NAME,
    title="Binance",
    owner="Atalaia",
    summary=N_("Closes both legs of a futures position when their result together reaches a target."),
    settings=SETTINGS,
    audit_words=AUDIT_WORDS,
)
