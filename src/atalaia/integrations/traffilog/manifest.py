"""Who this integration is, and its settings."""

from collections.abc import Callable
from typing import Any, Final

from atalaia.core.settings import Setting
from atalaia.core.translations import N_
from atalaia.sdk.integration import Manifest

NAME: Final = "traffilog"
_REQUIRED: Final = ("login_url", "ws_url", "login_name", "password", "app_guid")
# What a worker is given: none of them is a secret.
WORKER_SETTINGS: Final = (
    "ws_url",
    "app_guid",
    "origin",
    "user_agent",
    "accept_language",
    "pause_s",
    "review_pause_s",
    "review_tries",
    "review_wait_s",
    "slot_wait_s",
    "answer_s",
    "resubscribe_s",
    "silent_s",
    "silent_limit_s",
    "whole_s",
)


def _setting(name: str, kind: str, default: Any, words: str, **more: Any) -> Setting:
    return Setting(f"integrations.{NAME}.{name}", kind, default, words, **more)


SETTINGS: Final = (
    _setting(
        "login_url",
        "str",
        "",
        N_("The address of the login: …/appengine_3/<APP_GUID>/1/json."),
        title=N_("Address of the login"),
        alias="TRAFFILOG_LOGIN_URL",
    ),
    _setting(
        "ws_url",
        "str",
        "",
        N_("The base of the WebSocket's address, as wss://HOST:8182."),
        title=N_("Address of the WebSocket"),
        alias="TRAFFILOG_WS_URL",
    ),
    _setting(
        "login_name", "str", "", N_("The name to log in with."), title=N_("Login name"), alias="TRAFFILOG_LOGIN_NAME"
    ),
    _setting(
        "password", "secret", None, N_("The password to log in with."), title=N_("Password"), alias="TRAFFILOG_PASSWORD"
    ),
    _setting(
        "app_guid",
        "str",
        "",
        N_("The GUID of the app, upper-case hexadecimal 8-4-4-4-12."),
        title=N_("GUID of the app"),
        alias="TRAFFILOG_APP_GUID",
    ),
    _setting(
        "origin",
        "str",
        "https://operation.traffilog.com",
        N_("The Origin that the WebSocket asks for."),
        title=N_("Origin"),
    ),
    _setting(
        "user_agent",
        "str",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        N_("The browser that the third party sees."),
        title=N_("Browser"),
    ),
    _setting("accept_language", "str", "pt-BR", N_("The language that the third party sees."), title=N_("Language")),
    _setting(
        "keyless_networks",
        "list",
        (),
        N_("Networks whose apps may start and read jobs without a key; none by default."),
        title=N_("Networks without a key"),
    ),
    _setting(
        "pause_s",
        "float",
        0.5,
        N_("Seconds between the first steps."),
        title=N_("Pause between the first steps"),
        minimum=0,
        maximum=60,
    ),
    _setting(
        "review_pause_s",
        "float",
        3.0,
        N_("Seconds before the review is asked for."),
        title=N_("Pause before the review"),
        minimum=0,
        maximum=60,
    ),
    _setting(
        "review_tries",
        "int",
        3,
        N_("How often the review is asked for while it is not ready."),
        title=N_("Tries of the review"),
        minimum=1,
        maximum=20,
    ),
    _setting(
        "review_wait_s",
        "float",
        3.0,
        N_("Seconds between two tries of the review."),
        title=N_("Pause between tries of the review"),
        minimum=0,
        maximum=60,
    ),
    _setting(
        "slot_wait_s",
        "float",
        30.0,
        N_("Seconds until a busy review slot is asked for again."),
        title=N_("Wait for a busy slot"),
        minimum=0.1,
        maximum=3600,
    ),
    _setting(
        "answer_s",
        "float",
        15.0,
        N_("Seconds to wait for the answer to a frame."),
        title=N_("Wait for an answer"),
        minimum=0.1,
        maximum=300,
        alias="WS_WAIT_TIMEOUT_MS",
        alias_is_ms=True,
    ),
    _setting(
        "resubscribe_s",
        "float",
        15.0,
        N_("Seconds between two subscriptions while a unit works."),
        title=N_("Subscribe again every"),
        minimum=0.1,
        maximum=300,
    ),
    _setting(
        "silent_s",
        "float",
        30.0,
        N_("Seconds without news until a unit counts as silent."),
        title=N_("A unit is silent after"),
        minimum=0.1,
        maximum=3600,
    ),
    _setting(
        "silent_limit_s",
        "float",
        300.0,
        N_("Seconds that a unit may stay silent."),
        title=N_("A unit may be silent for"),
        minimum=0.1,
        maximum=3600,
    ),
    _setting(
        "whole_s",
        "float",
        720.0,
        N_("Seconds that a unit may take in all."),
        title=N_("A unit may take"),
        minimum=0.1,
        maximum=7200,
    ),
)


def is_configured(setting: Callable[[str], Any]) -> bool:
    return all(setting(name) for name in _REQUIRED)


MANIFEST: Final = Manifest(
    name=NAME,
    title="Traffilog",
    owner="Atalaia",
    summary=N_("Actions on vehicles: schemes and commands, carried out over the third party's WebSocket."),
    settings=SETTINGS,
    is_configured=is_configured,
)
