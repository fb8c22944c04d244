"""The second factor: a code is good for about a minute, and once."""

from datetime import UTC, datetime, timedelta
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.access import totp

NOW = datetime(2026, 3, 4, 12, 0, 10, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_at(instant: datetime) -> str:
    return str(pyotp.TOTP(SECRET).at(instant))


def test_the_codes_are_those_of_the_rfc() -> None:
    rfc_secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    instant = datetime.fromtimestamp(1111111109, UTC)
    assert totp.matched_step(rfc_secret, "081804", now=instant, last_step=None) == 37037036


@pytest.mark.parametrize("offset_s", [-30, 0, 30])
def test_a_phone_may_be_half_a_minute_off(offset_s: int) -> None:
    code = code_at(NOW + timedelta(seconds=offset_s))
    assert totp.matched_step(SECRET, code, now=NOW, last_step=None) is not None


@pytest.mark.parametrize("offset_s", [-90, -60, 60, 90])
def test_a_code_of_another_minute_is_refused(offset_s: int) -> None:
    code = code_at(NOW + timedelta(seconds=offset_s))
    assert totp.matched_step(SECRET, code, now=NOW, last_step=None) is None


def test_a_code_lets_in_once() -> None:
    code = code_at(NOW)
    step = totp.matched_step(SECRET, code, now=NOW, last_step=None)
    assert step is not None
    assert totp.matched_step(SECRET, code, now=NOW, last_step=step) is None


def test_an_older_code_is_worth_nothing_after_a_newer_one() -> None:
    newer = totp.matched_step(SECRET, code_at(NOW), now=NOW, last_step=None)
    older = code_at(NOW - timedelta(seconds=30))
    assert totp.matched_step(SECRET, older, now=NOW, last_step=newer) is None


def test_spaces_in_a_code_do_not_matter() -> None:
    code = code_at(NOW)
    assert totp.matched_step(SECRET, f" {code[:3]} {code[3:]} ", now=NOW, last_step=None) is not None


@given(st.text(max_size=12))
def test_no_text_breaks_the_comparison(text: str) -> None:
    totp.matched_step(SECRET, text, now=NOW, last_step=None)


def test_secrets_have_160_bits_and_differ() -> None:
    assert len({totp.new_secret() for _ in range(20)}) == 20
    assert len(totp.new_secret()) == 32


def test_the_qr_code_is_an_image_that_a_strict_policy_lets_pass() -> None:
    image = totp.qr_image(totp.enrolment_address(SECRET, email="ana@example.com"))
    kind, _, drawing = image.partition(",")
    assert kind == "data:image/svg+xml;charset=utf-8"
    root = ET.fromstring(unquote(drawing))  # noqa: S314 - made by us a line above
    assert root.tag.endswith("svg")


def test_the_enrolment_address_names_the_account() -> None:
    address = totp.enrolment_address(SECRET, email="ana@example.com")
    assert address.startswith("otpauth://totp/Atalaia:ana%40example.com?")
    assert f"secret={SECRET}" in address


def test_there_are_ten_different_recovery_codes() -> None:
    codes = totp.new_recovery_codes()
    assert len(set(codes)) == totp.RECOVERY_CODES == 10


def test_a_recovery_code_may_be_typed_in_capitals_and_without_dashes() -> None:
    code = totp.new_recovery_codes()[0]
    assert totp.recovery_hash(code.replace("-", " ").upper()) == totp.recovery_hash(code)
    assert code.encode() not in totp.recovery_hash(code)
