"""How long a line is kept on which nothing is asked."""

from atalaia.cli import serve

NGINX_S = 60  # keepalive_timeout of an upstream, where nothing is set
PAGE_S = 30  # a live page asks so often where nothing is new


def test_a_line_outlives_the_proxys_own_patience_and_a_pages_pause() -> None:
    """Else a POST is now and then sent on a line that is being closed here: 502, and nobody knows whether it was done."""
    assert max(NGINX_S, PAGE_S) < serve.KEPT_S
