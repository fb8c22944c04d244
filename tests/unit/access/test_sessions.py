"""Sessions end, and signing in never sends anybody elsewhere."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.access.sessions import SessionLimits, is_over, is_seen_stale, safe_next

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
LIMITS = SessionLimits()


def test_a_session_ends_after_twelve_idle_hours() -> None:
    created = NOW - timedelta(days=1)
    assert not is_over(created, NOW - timedelta(hours=11, minutes=59), now=NOW, limits=LIMITS)
    assert is_over(created, NOW - timedelta(hours=12), now=NOW, limits=LIMITS)


def test_a_session_ends_after_thirty_days_however_busy() -> None:
    assert not is_over(NOW - timedelta(days=29), NOW, now=NOW, limits=LIMITS)
    assert is_over(NOW - timedelta(days=30), NOW, now=NOW, limits=LIMITS)


def test_last_seen_is_not_written_at_each_page() -> None:
    assert not is_seen_stale(NOW - timedelta(seconds=59), now=NOW)
    assert is_seen_stale(NOW - timedelta(seconds=60), now=NOW)


@pytest.mark.parametrize("address", ["/", "/checks?state=down&q=a%20b", "/incidents/42#timeline", "/a//b"])
def test_a_page_of_ours_is_gone_on_to(address: str) -> None:
    assert safe_next(address) == address


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "checks",
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "\n//evil.example",
        "javascript:alert(1)",
        "/" + "a" * 3000,
    ],
)
def test_whatever_leads_elsewhere_is_not(address: str | None) -> None:
    assert safe_next(address, fallback="/account") == "/account"


@given(st.text(alphabet="/\\.:@?#%ahttps \t\n[]"))
def test_no_text_leads_to_another_host(text: str) -> None:
    landed = urljoin("https://hub.example/sign-in", safe_next(text))
    assert urlsplit(landed).netloc == "hub.example"
