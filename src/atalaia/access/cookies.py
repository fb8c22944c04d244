"""The cookies that the hub sets: for its own host, not for scripts, and over TLS only where there is TLS."""

from dataclasses import dataclass
from typing import Any

from litestar.datastructures import Cookie

# A year: how long a browser counts as one that its person has signed in with before.
DEVICE_TTL_S = 365 * 86400


@dataclass(frozen=True, slots=True)
class CookieNames:
    """`__Host-` makes browsers refuse a cookie that a neighbouring host planted; it needs https."""

    is_secure: bool

    @property
    def session(self) -> str:
        return self._name("session")

    @property
    def visit(self) -> str:
        """Before sign-in: what the proof in the forms is bound to."""
        return self._name("visit")

    @property
    def device(self) -> str:
        return self._name("device")

    @property
    def factor(self) -> str:
        """Between password and code."""
        return self._name("factor")

    def make(self, name: str, value: str, *, ttl_s: float | None) -> Cookie:
        """`ttl_s` None: until the browser is closed."""
        return Cookie(
            key=name,
            value=value,
            max_age=None if ttl_s is None else int(ttl_s),
            path="/",
            secure=self.is_secure,
            httponly=True,
            samesite="lax",
        )

    def drop(self, name: str) -> Cookie:
        return self.make(name, "", ttl_s=0)

    def _name(self, word: str) -> str:
        return f"__Host-atalaia_{word}" if self.is_secure else f"atalaia_{word}"


def cookies_of(scope: Any) -> dict[str, str]:
    """Name to value; of one that is sent twice the first, as RFC 6265 puts the more specific one first."""
    found: dict[str, str] = {}
    for header, value in scope["headers"]:
        if header == b"cookie":
            for part in value.decode("latin-1").split(";"):
                name, _, content = part.strip().partition("=")
                found.setdefault(name, content)
    return found
