"""TLS: contexts that are shared, and what a certificate says, whether it could be verified or not."""

from __future__ import annotations

import ssl
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

from atalaia_agent.der import Certificate, parse_certificate

_DAY_S = 86_400


class Seen(NamedTuple):
    certificate: Certificate
    days_left: float


_making = Lock()


def context(ca: str | None = None, *, is_verified: bool = True) -> ssl.SSLContext:
    """`ca`: a path to a bundle, or PEM text, instead of the system's authorities.

    One for all connections alike: each holds 1 MB of authorities, so no two threads make the same one at once.
    """
    with _making:
        return _context(ca, is_verified=is_verified)


@lru_cache(maxsize=8)
def _context(ca: str | None, *, is_verified: bool) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.set_alpn_protocols(["http/1.1"])
    if not is_verified:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    elif ca is None:
        made.load_default_certs()
    elif "-----BEGIN" in ca:
        made.load_verify_locations(cadata=ca)
    else:
        made.load_verify_locations(cafile=ca)
    return made


def look_at(sock: ssl.SSLSocket, now_s: float) -> Seen | None:
    encoded = sock.getpeercert(binary_form=True)
    if not encoded:
        return None
    certificate = parse_certificate(encoded)
    return Seen(certificate, round((certificate.not_after_s - now_s) / _DAY_S, 2))
