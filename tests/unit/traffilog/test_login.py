"""What the login's answer is taken for."""

import pytest

from atalaia.integrations.traffilog.login import token_of
from atalaia.sdk.failures import PermanentFailure, TemporaryFailure


@pytest.mark.parametrize("place", ['{{"session_token":"{}"}}', '{{"data":[{{"session_token":"{}"}}]}}'])
def test_the_token_is_found_at_both_places(place: str) -> None:
    body = f'{{"response":{{"properties":{place.format("Ab3" * 14)}}}}}'
    assert token_of(body.encode()) == "Ab3" * 14


@pytest.mark.parametrize("token", ["short", "your session has expired, log in", "sess\u00e3o" * 5, "a\\nb" * 8])
def test_words_in_the_tokens_place_are_no_token(token: str) -> None:
    """They were kept as one, and every socket was opened with them until somebody looked."""
    body = f'{{"response":{{"properties":{{"session_token":"{token}"}}}}}}'.encode()
    with pytest.raises(TemporaryFailure):
        token_of(body)
    with pytest.raises(PermanentFailure, match="wrong password"):
        token_of(body[:-1] + b',"action_value":"401","error_description":"wrong password"}')


@pytest.mark.parametrize("body", [b"", b"\0\0", b"[" * 100_000, b"{}", b"<html>"])
def test_an_answer_without_a_token_may_pass(body: bytes) -> None:
    with pytest.raises(TemporaryFailure):
        token_of(body)
