"""Settings of integrations: a table of their own, their environment names, and secrets that the page keeps sealed."""

import pytest

from atalaia.core.errors import ConfigError
from atalaia.core.redaction import Secret
from atalaia.core.settings import SEALED, Setting, Settings, parse_value

URL = Setting("integrations.fleet.login_url", "str", "", "Where to log in.", alias="FLEET_LOGIN_URL")
PASSWORD = Setting("integrations.fleet.password", "secret", None, "The password.")


def test_they_come_from_their_table_and_their_names_in_the_environment() -> None:
    file = {"timezone": "UTC", "integrations": {"fleet": {"login_url": "of the file"}}}
    declared = (URL, PASSWORD, Setting("hub.timezone", "str", "", "Zone."))
    settings = Settings(declared, file=file, environment={"ATALAIA_FLEET_PASSWORD": "of the environment"})
    assert settings.get(URL.key) == "of the file"
    assert settings.get(PASSWORD.key) == Secret("of the environment")
    assert (URL.section, URL.environment) == ("integrations.fleet", "ATALAIA_FLEET_LOGIN_URL")
    assert Settings((URL,), environment={"FLEET_LOGIN_URL": "kept"}).get(URL.key) == "kept"


@pytest.mark.parametrize(
    ("file", "environment", "words"),
    [
        ({"integrations": {"fleet": {"login_ulr": "x"}}}, {}, "did you mean integrations.fleet.login_url"),
        ({}, {"ATALAIA_FLEET_LOGIN_ULR": "x"}, "did you mean ATALAIA_FLEET_LOGIN_URL"),
        ({"integrations": {"fleat": {"login_url": "x"}}}, {}, "unknown setting integrations.fleat.login_url"),
    ],
)
def test_a_name_that_is_not_known_is_refused_with_the_nearest(
    file: dict[str, object], environment: dict[str, str], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        Settings((URL, PASSWORD), file=file, environment=environment)


def test_what_is_set_for_one_that_can_not_be_loaded_is_passed_over() -> None:
    file = {"integrations": {"broken": {"anything": 1}}}
    environment = {"ATALAIA_BROKEN_ANYTHING": "1"}
    assert Settings((URL,), file=file, environment=environment, unreadable=("broken",)).get(URL.key) == ""


def test_a_secret_of_the_page_is_set_once_it_can_be_opened() -> None:
    settings = Settings((PASSWORD,))
    kept = {PASSWORD.key: {SEALED: "abc"}}
    settings.set_page_values(kept)
    assert settings.lookup(PASSWORD.key).source == "default"
    settings.open_secrets_with(lambda _key, sealed: sealed.upper())
    settings.set_page_values(kept)
    assert (settings.get(PASSWORD.key), settings.lookup(PASSWORD.key).source) == (Secret("ABC"), "page")


def test_a_kept_name_that_gives_milliseconds_is_read_as_such() -> None:
    wait = Setting("integrations.fleet.answer_s", "float", 15.0, "Wait.", alias="WS_WAIT_MS", alias_is_ms=True)

    assert Settings([wait], environment={"WS_WAIT_MS": "2500"}).get(wait.key) == 2.5
    assert Settings([wait], environment={"ATALAIA_FLEET_ANSWER_S": "2.5"}).get(wait.key) == 2.5
    with pytest.raises(ConfigError, match="milliseconds"):
        Settings([wait], environment={"WS_WAIT_MS": "soon"})


_LIMITED = (
    Setting("hub.days", "int", 7, "Days.", minimum=1, maximum=30),
    Setting("hub.hours", "float", 2.0, "Hours.", minimum=0.1),
)


def test_what_the_page_kept_and_this_version_does_not_take_keeps_no_hub_from_starting() -> None:
    settings = Settings(_LIMITED)
    settings.set_page_values({"hub.days": 400, "hub.hours": 3})
    assert (settings.get("hub.days"), settings.get("hub.hours")) == (7, 3.0)


@pytest.mark.parametrize("raw", ["nan", "inf", "-inf", "1e300", float("nan"), float("inf"), 2**70])
@pytest.mark.parametrize("setting", _LIMITED)
def test_what_is_no_number_within_reach_is_refused(setting: Setting, raw: object) -> None:
    with pytest.raises(ConfigError):
        parse_value(setting, raw)
