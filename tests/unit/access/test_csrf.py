"""A form of another site, or of another session, is not ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.access.csrf import is_proof, make_proof


def test_a_proof_holds_for_the_browser_it_was_made_for() -> None:
    assert is_proof(make_proof("session-a"), "session-a")


def test_a_proof_of_one_session_is_worth_nothing_in_another() -> None:
    assert not is_proof(make_proof("session-a"), "session-b")


def test_each_page_gets_another_proof() -> None:
    assert make_proof("session-a") != make_proof("session-a")


@pytest.mark.parametrize("proof", [None, "", "x", "é", "A" * 64, "=" * 64])
def test_anything_else_is_refused(proof: str | None) -> None:
    assert not is_proof(proof, "session-a")


def test_without_a_cookie_there_is_no_proof() -> None:
    assert not is_proof(make_proof(""), "")
    assert not is_proof(make_proof("x"), None)


@given(st.text())
def test_no_text_breaks_the_check(text: str) -> None:
    assert not is_proof(text, "session-a")
