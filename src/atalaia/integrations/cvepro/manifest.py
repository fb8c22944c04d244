"""Who this integration is, and its settings."""

from collections.abc import Callable
from typing import Any, Final

from atalaia.core.settings import Setting
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.audit_words import AUDIT_WORDS
from atalaia.sdk.integration import Manifest

NAME: Final = "cvepro"
TITLE: Final = "CVE-Pro"
LIVE: Final = "cvepro_live"  # its own upstream: whatever becomes of it, polling goes on
POLL_S: Final = 30.0
_REQUIRED: Final = ("base_url", "api_key", "email", "password")


def _setting(name: str, kind: str, default: Any, words: str, **more: Any) -> Setting:
    return Setting(f"integrations.{NAME}.{name}", kind, default, words, **more)


SETTINGS: Final = (
    _setting(
        "base_url",
        "str",
        "",
        N_("The address of the chargers' cloud, without /api/v1."),
        title=N_("Address of the cloud"),
    ),
    _setting("api_key", "secret", None, N_("The Api-Key that the vendor gave you."), title=N_("Api-Key")),
    _setting("email", "str", "", N_("The e-mail address to log in with."), title=N_("E-mail")),
    _setting("password", "secret", None, N_("The password to log in with."), title=N_("Password")),
    _setting(
        "poll_s",
        "float",
        POLL_S,
        N_("Seconds between two readings of the chargers."),
        title=N_("Chargers read every"),
        minimum=0.2,
        maximum=3600,
    ),
    _setting(
        "sessions_every_s",
        "float",
        60.0,
        N_("Seconds between two readings of the sessions."),
        title=N_("Sessions read every"),
        minimum=0.2,
        maximum=3600,
    ),
    _setting(
        "alert_after_s",
        "float",
        120.0,
        N_("Seconds for which the chargers could not be read, after which that is an incident."),
        title=N_("Incident if unreadable for"),
        minimum=0,
        maximum=86_400,
    ),
    _setting(
        "heartbeat_limit_s",
        "float",
        900.0,
        N_("Seconds without a heartbeat after which a charger is an incident."),
        title=N_("Incident if a charger is silent for"),
        minimum=60,
        maximum=604_800,
    ),
    _setting(
        "utc_offset_h",
        "float",
        -3.0,
        N_("Hours between UTC and the local times that the cloud tells without a zone."),
        title=N_("The cloud's hours from UTC"),
        minimum=-12,
        maximum=14,
    ),
    _setting(
        "timezone",
        "str",
        "America/Sao_Paulo",
        N_("The condominium's time zone: tariffs, reports and quiet hours go by it."),
        title=N_("The condominium's time zone"),
    ),
    _setting(
        "quiet_from",
        "str",
        "22:00",
        N_("Time of day from which residents get no notices, as 22:00; what comes then waits. Empty: at any time."),
        title=N_("Quiet hours from"),
    ),
    _setting(
        "quiet_until",
        "str",
        "07:00",
        N_("Time of day from which residents get notices again, as 07:00."),
        title=N_("Quiet hours until"),
    ),
    _setting(
        "full_after_s",
        "float",
        180.0,
        N_("Seconds for which a car has taken no power, after which its driver is told that it is full."),
        title=N_("A car is full after"),
        minimum=0,
        maximum=86_400,
    ),
    _setting(
        "tags_path",
        "str",
        "",
        N_("Where this account lists its RFID tags, below /api/v1/. Empty: they are not asked for."),
        title=N_("Path of the RFID tags"),
    ),
    _setting(
        "tags_every_s",
        "float",
        900.0,
        N_("Seconds between two readings of the RFID tags."),
        title=N_("RFID tags read every"),
        minimum=0.2,
        maximum=86_400,
    ),
    _setting(
        "active_path",
        "str",
        "",
        N_("Where this account lists the sessions under way, below /api/v1/. Empty: they are not asked for."),
        title=N_("Path of sessions under way"),
    ),
    _setting(
        "active_every_s",
        "float",
        30.0,
        N_("Seconds between two readings of the sessions under way."),
        title=N_("Sessions under way read every"),
        minimum=0.2,
        maximum=3600,
    ),
    _setting(
        "live_url",
        "str",
        "",
        N_("The address of this account's live connection (STOMP), with ws:// or wss://. Empty: polling alone."),
        title=N_("Address of the live connection"),
    ),
    _setting(
        "live_destination",
        "str",
        "/topic/chargepoints",
        N_("What is subscribed to on the live connection."),
        title=N_("Topic of the live connection"),
    ),
    _setting(
        "ocpp_admission",
        "str",
        "ask",
        N_("A charger that connects straight and that nobody knows: ask (it waits to be let in), open, or closed."),
        title=N_("Unknown chargers"),
    ),
    _setting(
        "ocpp_one_session_a_tag",
        "bool",
        False,
        N_("Whether a tag with a session under way is refused at another charger that connects straight."),
        title=N_("One session per tag"),
    ),
    _setting(
        "ocpp_meter_days",
        "int",
        90,
        N_("Days after which the meter values of chargers that connect straight are thinned out to one in 15 minutes."),
        title=N_("All meter values kept for"),
        minimum=1,
        maximum=36_500,
    ),
    _setting("condominium", "str", "", N_("The condominium's name, as reports have it."), title=N_("Condominium")),
    _setting(
        "condominium_address",
        "str",
        "",
        N_("The condominium's address, as reports have it."),
        title=N_("The condominium's address"),
    ),
    _setting(
        "report_locale", "str", "pt-BR", N_("The language of reports: pt-BR or en."), title=N_("Language of reports")
    ),
    _setting(
        "report_day",
        "int",
        0,
        N_("The day of the month on which last month's reports are made; 0: only when somebody asks."),
        title=N_("Reports made on day"),
        minimum=0,
        maximum=31,
    ),
    _setting(
        "absent_fields",
        "list",
        (),
        N_("Fields that this account never gives, as chargePointList[].fwVersion: they are not missed."),
        title=N_("Fields that are never given"),
    ),
)


def is_configured(setting: Callable[[str], Any]) -> bool:
    return all(setting(name) for name in _REQUIRED)


MANIFEST: Final = Manifest(
    name=NAME,
    title=TITLE,
    owner="Atalaia",
    summary=N_("Electric car chargers of a condominium: who charges, what is free, what broke."),
    settings=SETTINGS,
    audit_words=AUDIT_WORDS,
    is_configured=is_configured,
)
