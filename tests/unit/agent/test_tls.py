from pathlib import Path

import pytest

from atalaia_agent.der import parse_certificate
from tests.unit.agent.local_servers import Pki, http, https_answering, make_pki, serving
from tests.unit.agent.measured import measured


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


def test_https_reports_the_days_that_the_certificate_has_left(good: Pki) -> None:
    with https_answering(good, http()) as port:
        found = measured("http", f"https://localhost:{port}/", ca=good.authority_pem, family="ipv4")
        near = measured("http", f"https://127.0.0.1:{port}/", ca=good.authority_pem, warn_days=100)
    assert found.is_ok
    assert not found.is_degraded
    assert set(found.phases) == {"dns", "connect", "tls", "first_byte", "transfer"}
    assert found.data["tls_days_left"] == pytest.approx(90, abs=0.1)
    assert found.data["tls_issuer"] == "Test authority"
    assert (near.is_ok, near.is_degraded, near.error) == (True, True, "tls_expiring")


def test_https_of_an_unknown_authority_fails_unless_it_is_not_verified(good: Pki) -> None:
    with https_answering(good, http()) as port:
        assert measured("http", f"https://127.0.0.1:{port}/").error == "tls_untrusted"
        unverified = measured("http", f"https://127.0.0.1:{port}/", verify_tls=False)
        missing = measured("http", f"https://127.0.0.1:{port}/", ca="/no/such/file")
    assert unverified.is_ok
    assert unverified.data["tls_days_left"] > 0
    assert (missing.error, missing.outcome) == ("bad_option", "error")


def test_the_tls_probe_tells_who_and_how_long(good: Pki) -> None:
    with https_answering(good, http()) as port:
        found = measured("tls", f"127.0.0.1:{port}", ca=good.authority_pem)
    assert found.is_ok
    assert not found.is_degraded
    assert found.data["subject"] == "localhost"
    assert found.data["issuer"] == "Test authority"
    assert found.data["names"] == ["localhost", "127.0.0.1"]
    assert found.data["not_after"].endswith("Z")


def test_a_certificate_near_its_end_degrades(tmp_path: Path) -> None:
    pki = make_pki(tmp_path, days=10)
    with https_answering(pki, http()) as port:
        found = measured("tls", f"127.0.0.1:{port}", ca=pki.authority_pem)
        early = measured("tls", f"127.0.0.1:{port}", ca=pki.authority_pem, warn_days=5)
    assert (found.is_ok, found.is_degraded, found.error) == (True, True, "tls_expiring")
    assert not early.is_degraded


def test_an_expired_an_untrusted_and_a_strangers_certificate_fail_and_are_described(tmp_path: Path, good: Pki) -> None:
    expired, other = make_pki(tmp_path, days=-3), make_pki(tmp_path, name="other.example")
    for pki, ca, code in [
        (expired, expired.authority_pem, "tls_expired"),
        (good, None, "tls_untrusted"),
        (other, other.authority_pem, "tls_name_mismatch"),
    ]:
        with https_answering(pki, http()) as port:
            found = measured("tls", f"127.0.0.1:{port}", server_name="localhost", ca=ca)
        assert (found.is_ok, found.outcome, found.error) == (False, "fail", code)
        assert found.data["issuer"] == "Test authority"
        assert found.data["not_after"]
    with https_answering(expired, http()) as port:
        assert measured("tls", f"127.0.0.1:{port}").data["tls_days_left"] == pytest.approx(-3, abs=0.1)


def test_a_server_that_speaks_no_tls_fails() -> None:
    with serving(lambda sock: sock.sendall(b"220 hello\r\n")) as port:
        assert measured("tls", f"127.0.0.1:{port}").error == "tls_failed"
        assert measured("http", f"https://127.0.0.1:{port}/").error == "tls_failed"


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x82\xff\xff", b"\x30\x03abc", b"x" * 50])
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a certificate"):
        parse_certificate(data)
