"""The login's answer: a token, an error on a 200, and an end that can't be."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.core.errors import AtalaiaError
from atalaia.core.redaction import Secret
from atalaia.integrations.cvepro.cloud.login import authorize, login_of
from atalaia.sdk.failures import PermanentFailure, TemporaryFailure
from atalaia.sdk.upstreams import Token

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def read(**answer: Any) -> Any:
    return login_of(json.dumps(answer).encode(), now=NOW)


def test_a_token_with_its_end() -> None:
    login = read(token="opaque-token", expiresAt="2026-02-01T12:00:00.000Z", error=None)
    assert (login.value, login.expires_at) == (Secret("opaque-token"), NOW + timedelta(days=1))
    assert authorize(Token(login.value, 1, None)) == {"Authorization": "opaque-token"}


@pytest.mark.parametrize("end", [None, "soon", "2026-01-31T11:00:00Z", "2099-01-01T00:00:00Z", 12])
def test_an_end_that_can_not_be_is_passed_over(end: Any) -> None:
    assert read(token="opaque-token", expiresAt=end).expires_at is None


def test_an_error_on_a_200() -> None:
    with pytest.raises(TemporaryFailure, match="Tenant Not Found"):
        read(token=None, error="E000 - Tenant Not Found")
    with pytest.raises(PermanentFailure, match="Invalid password"):
        read(token=None, error="E401 - Invalid password")


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_is_a_token_or_one_of_our_failures(body: bytes) -> None:
    with pytest.raises(AtalaiaError):
        login_of(body, now=NOW)
