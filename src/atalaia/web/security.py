"""Headers that tell the browser what a page of ours never does.

No script, style, picture or connection of another host, nothing inline, in no frame.
Source: OWASP ASVS 4.0.3, V14.4
"""

from typing import Any, Final

POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
_ALWAYS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
# A year; only where the hub is reached over TLS, since it locks plain HTTP out.
_OVER_TLS: Final = (b"strict-transport-security", b"max-age=31536000")


class SecureHeaders:
    """Adds the headers to what is sent."""

    def __init__(self, *, is_tls: bool) -> None:
        self._headers = (*_ALWAYS, _OVER_TLS) if is_tls else _ALWAYS

    def around(self, send: Any) -> Any:
        async def secured(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        return secured
