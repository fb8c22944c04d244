from pathlib import Path

import pytest

from atalaia_agent.main import EXIT_OK, EXIT_USAGE, main, parse_flags
from atalaia_agent.settings import KNOWN, SettingsError, build, from_environment, load_file

HUB = {"hub": "https://watch.example.org/x"}


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    config.write_text('hub = "http://file"\nkey = "f"\nname = "file"\nlocation = "file"\nping = true\n')
    environment = from_environment({"ATALAIA_HUB": "http://env", "ATALAIA_NAME": "env", "ATALAIA_KEY": "e"})
    settings = build([load_file(config), environment, parse_flags(["--hub", "http://flag:8400"])])
    assert (settings.hub.origin, settings.name, settings.key) == ("http://flag:8400", "env", "e")
    assert settings.source["location"] == "file"
    assert settings.ping_url == "http://flag:8400"


def test_the_whole_file(tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(
        """
        hub = "https://h"
        key = "k"
        spool_max_bytes = 1000000
        ping = "https://collector.example/"
        ping_interval_s = 2.5
        [line]
        reference = ["1.1.1.1:443", "[2606:4700::1111]:443"]
        [allow]
        networks = ["10.0.0.0/8", "169.254.169.254/32"]
        [deny]
        networks = ["10.9.0.0/16"]
        metadata = false
        """
    )
    settings = build([load_file(config)])
    assert settings.references == [("1.1.1.1", 443), ("2606:4700::1111", 443)]
    assert [settings.reach.is_allowed(a) for a in ("10.1.1.1", "10.9.1.1", "169.254.169.254", "8.8.8.8")] == [
        True,
        False,
        True,
        False,
    ]
    assert (settings.ping_url, settings.ping_interval_s) == ("https://collector.example/", 2.5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("hbu = 1", "no setting 'hbu'; did you mean 'hub'"),
        ("[line]\nreferences = []", r"no setting 'references'; did you mean 'reference'"),
        ("line = 3", r"\[line\] must be a table"),
        ("hub = ", "Invalid value"),
        ('hub = "ftp://x"', "hub: it must begin with http"),
        ("hub = 3", "hub must be text"),
        ('hub = "http://h"\nspool_max_bytes = "many"', "spool_max_bytes must be a number"),
        ('hub = "http://h"\nping_interval_s = -1', "ping_interval_s must be at least"),
        ('hub = "http://h"\n[line]\nreference = ["x"]', r"\[line\] reference: 'x' has no port"),
        ('hub = "http://h"\n[deny]\nnetworks = ["x"]', "networks"),
        ('hub = "http://h"\nkey_file = "/no/such"', "there is no file /no/such"),
        ('hub = "http://h"\nping = "nowhere"', "ping: it must begin"),
        ("", "no hub"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, content: str, message: str) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(content)
    with pytest.raises(SettingsError, match=message):
        build([load_file(config)])


def test_a_key_comes_from_a_file_and_else_from_the_spool(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("spooled\n")
    (tmp_path / "mine").write_text("mine\n")
    assert build([HUB, {"spool": str(tmp_path)}]).key == "spooled"
    assert build([{**HUB, "key": "k"}, {"key_file": str(tmp_path / "mine")}]).key == "mine"
    assert build([{**HUB, "key_file": str(tmp_path / "mine")}, {"key": "k"}]).key == "k"


@pytest.mark.parametrize(
    ("arguments", "flags"),
    [
        (["--ping", "--name", "a"], {"ping": True, "name": "a"}),
        (["--ping", "http://c", "--hub=http://h"], {"ping": "http://c", "hub": "http://h"}),
        (["-h"], {"help": True}),
    ],
)
def test_flags(arguments: list[str], flags: dict[str, object]) -> None:
    assert parse_flags(arguments) == flags


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--hubb", "x"], "did you mean --hub?"),
        (["--hub"], "--hub needs a value"),
        (["extra"], "no option 'extra'"),
        (["--key-fil", "x"], "did you mean --key-file?"),
        (["--insecure"], "no option '--insecure'"),
        (["probe", "{"], "not a probe"),
        (["--hub", "http://h", "--key-file", "/no/such"], "there is no file"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_says_what(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == EXIT_USAGE
    assert message in capsys.readouterr().err


def test_help_names_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == EXIT_OK
    said = capsys.readouterr().out
    assert all(f"--{name.replace('_', '-')}" in said for name in KNOWN)


def test_every_setting_is_in_the_guide() -> None:
    guide = (Path(__file__).parents[3] / "docs/guides/agent.md").read_text()
    assert [name for name in KNOWN if f"`{name}`" not in guide] == []
