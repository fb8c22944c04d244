"""The doctor tries the configured upstreams over real connections, and says what to do; it logs nobody in."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from atalaia.app.slices import declared_settings
from atalaia.cli.reaching import Target, configured_targets, examine_target, examine_upstreams
from atalaia.core.errors import ConfigError
from atalaia.core.settings import Settings, load_settings
from atalaia.outbound.guard import Guard, Trust
from atalaia.store.diagnosis import Finding, Verdict
from tests.servers import free_port
from tests.unit.agent.local_servers import https_answering, make_pki

ENVIRONMENT = {
    "ATALAIA_TRAFFILOG_LOGIN_URL": "https://user:hidden@[::1]:9443/canary-path/1/json",
    "ATALAIA_TRAFFILOG_WS_URL": "wss://fleet.example:8182",
    "ATALAIA_TRAFFILOG_LOGIN_NAME": "x",
    "ATALAIA_TRAFFILOG_PASSWORD": "canary-password",
    "ATALAIA_TRAFFILOG_APP_GUID": "01234567-89AB-CDEF-0123-456789ABCDEF",
}


@contextmanager
def listening(*families: socket.AddressFamily) -> Iterator[tuple[int, list[bytes]]]:
    """One port, in each of these families; what was said to it."""
    port, said, servers = free_port(), list[bytes](), []
    for family in families:
        host = "127.0.0.1" if family is socket.AF_INET else "::1"
        servers.append(socket.create_server((host, port), family=family))

    def serve(server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                said.append(connection.recv(100))

    threads = [threading.Thread(target=serve, args=(server,)) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield port, said
    finally:
        for server in servers:
            server.shutdown(socket.SHUT_RDWR)
            server.close()
        for thread in threads:
            thread.join(5)


def examine(target: Target, *, context: ssl.SSLContext | None = None) -> list[Finding]:
    return asyncio.run(examine_target(target, Guard(), context=context))


def settings_of(monkeypatch: pytest.MonkeyPatch, data_dir: Path, environment: dict[str, str]) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings(declared_settings(), data_dir=data_dir)


def test_only_what_somebody_configured_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert configured_targets(settings_of(monkeypatch, tmp_path, {})) == ([], [])
    targets, unreadable = configured_targets(settings_of(monkeypatch, tmp_path, ENVIRONMENT))
    assert unreadable == []
    assert [(each.subject, each.host, each.port, each.is_tls) for each in targets] == [
        ("integrations.traffilog.login_url", "::1", 9443, True),
        ("integrations.traffilog.ws_url", "fleet.example", 8182, True),
    ]


def test_an_address_that_is_none_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wrong = {
        **ENVIRONMENT,
        "ATALAIA_TRAFFILOG_LOGIN_URL": "https://host:99999999/",
        "ATALAIA_TRAFFILOG_WS_URL": "ftp://host",
    }
    settings = settings_of(monkeypatch, tmp_path, wrong)
    found = list(examine_upstreams(lambda: settings))
    assert [each.subject for each in found] == ["integrations.traffilog.login_url", "integrations.traffilog.ws_url"]
    assert {each.verdict for each in found} == {Verdict.ERROR}


def test_settings_that_can_not_be_read_are_said_elsewhere() -> None:
    def broken() -> Settings:
        raise ConfigError("broken")

    assert list(examine_upstreams(broken)) == []


def test_no_path_and_no_secret_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    address = f"http://user:canary-user@127.0.0.1:{free_port()}/canary-path"
    settings = settings_of(
        monkeypatch,
        tmp_path,
        {**ENVIRONMENT, "ATALAIA_TRAFFILOG_LOGIN_URL": address, "ATALAIA_TRAFFILOG_WS_URL": address},
    )
    found = list(examine_upstreams(lambda: settings))
    assert [each.verdict for each in found] == [Verdict.ERROR] * 2
    assert "canary" not in str(found)
    assert "firewall" in str(found[0].advice)


def test_both_families_are_tried_and_nothing_is_sent() -> None:
    with listening(socket.AF_INET, socket.AF_INET6) as (port, said):
        (found,) = examine(Target("up", "localhost", port, is_tls=False))
        assert found.verdict is Verdict.OK
        assert "IPv4" in found.message
    assert set(said) == {b""}


def test_a_family_that_does_not_answer_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(socket.AF_INET) as (port, _):
        _resolve_to(monkeypatch, port)
        (found,) = examine(Target("up", "both.example", port, is_tls=False))
    assert found.verdict is Verdict.WARNING
    assert "answers by IPv4" in found.message
    assert "but not by IPv6" in found.message


def _resolve_to(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    infos = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
    ]
    asked = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: infos if host == "both.example" else asked(host, *rest, **more),
    )


def test_a_name_that_is_unknown_leads_to_the_resolver() -> None:
    (found,) = examine(Target("up", "no-such-host.invalid", 443, is_tls=True))
    assert (found.verdict, "resolver" in str(found.advice)) == (Verdict.ERROR, True)


def test_a_certificate_that_is_not_trusted_is_an_error(tmp_path: Path) -> None:
    with https_answering(make_pki(tmp_path), b"") as port:
        (found,) = examine(Target("up", "127.0.0.1", port, is_tls=True))
    assert found.verdict is Verdict.ERROR
    assert "authority of your own" in str(found.advice)


@pytest.mark.parametrize(
    ("days", "verdicts"), [(90.0, [Verdict.OK]), (3.0, [Verdict.OK, Verdict.WARNING]), (-1.0, [Verdict.ERROR])]
)
def test_the_end_of_a_certificate_is_looked_at(tmp_path: Path, days: float, verdicts: list[Verdict]) -> None:
    pki = make_pki(tmp_path, days=days)
    context = ssl.create_default_context(cadata=pki.authority_pem)
    with https_answering(pki, b"") as port:
        found = examine(Target("up", "127.0.0.1", port, is_tls=True), context=context)
    assert [each.verdict for each in found] == verdicts


def test_what_speaks_no_tls_is_an_error() -> None:
    with listening(socket.AF_INET) as (port, _):
        (found,) = examine(Target("up", "127.0.0.1", port, is_tls=True))
    assert found.verdict is Verdict.ERROR


def test_a_private_address_that_was_typed_is_refused_as_the_hub_does() -> None:
    with listening(socket.AF_INET) as (port, said):
        (found,) = examine(Target("up", "127.0.0.1", port, is_tls=False, trust=Trust.TYPED))
    assert (found.verdict, "ATALAIA_ALLOW_PRIVATE_TARGETS" in str(found.advice)) == (Verdict.ERROR, True)
    assert said == []
