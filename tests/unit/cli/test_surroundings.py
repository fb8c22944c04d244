"""The doctor sees what is wrong around a hub, and says what to do."""

import os
import socket
from collections.abc import Iterator

import pytest

from atalaia.cli.ports import port_holder
from atalaia.cli.surroundings import examine_clock, examine_families, examine_limits, examine_port, examine_settings
from atalaia.core.errors import ConfigError
from atalaia.core.settings import Setting, Settings
from atalaia.store.diagnosis import Verdict
from tests.servers import free_port


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_the_holder_of_a_port_is_named(taken_port: int) -> None:
    holder = port_holder(taken_port)
    assert holder is not None
    assert holder.startswith(f"process {os.getpid()} (")


def test_a_free_port_has_no_holder() -> None:
    assert port_holder(free_port()) is None


def test_a_port_of_another_process_is_an_error_that_names_it(taken_port: int) -> None:
    (finding,) = examine_port("127.0.0.1", taken_port, hub_pid=None)
    assert finding.verdict is Verdict.ERROR
    assert f"process {os.getpid()}" in finding.message
    assert finding.advice


def test_a_port_of_this_directorys_hub_is_fine(taken_port: int) -> None:
    (finding,) = examine_port("127.0.0.1", taken_port, hub_pid=os.getpid())
    assert finding.verdict is Verdict.OK


def test_a_free_port_is_fine() -> None:
    (finding,) = examine_port("127.0.0.1", free_port(), hub_pid=None)
    assert finding.verdict is Verdict.OK


def test_both_address_families_are_tried() -> None:
    assert [finding.subject for finding in examine_families()] == ["IPv4", "IPv6"]


def test_settings_that_a_hub_would_refuse_are_an_error() -> None:
    def load() -> Settings:
        raise ConfigError("unknown setting ATALAIA_PROT in the environment; did you mean ATALAIA_PORT?")

    (finding,) = examine_settings(load)
    assert finding.verdict is Verdict.ERROR
    assert "ATALAIA_PROT" in finding.message


def test_settings_from_outside_are_named_and_never_shown() -> None:
    declared = [Setting("notify.smtp_password", "secret", None, "x")]
    settings = Settings(declared, environment={"ATALAIA_NOTIFY_SMTP_PASSWORD": "hush"})
    (finding,) = examine_settings(lambda: settings)
    assert finding.verdict is Verdict.OK
    assert "notify.smtp_password" in finding.message
    assert "hush" not in finding.message


def test_clock_and_limits_can_be_asked() -> None:
    findings = [*examine_clock(), *examine_limits()]
    assert {finding.subject for finding in findings} >= {"clock", "open files"}
    assert all(finding.advice for finding in findings if finding.verdict is not Verdict.OK)
