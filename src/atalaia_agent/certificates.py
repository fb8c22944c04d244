"""TLS: contexts that are shared, and what a certificate says, whether it could be verified or not."""

from __future__ import annotations

import ssl
from functools import lru_cache
from typing import NamedTuple

from atalaia_agent.der import Certificate, parse_certificate

_DAY_S = 86_400


class Seen(NamedTuple):
    certificate: Certificate
    days_left: float


@lru_cache(maxsize=8)
def context(ca: str | None = None, *, is_verified: bool = True) -> ssl.SSLContext:
    """`ca`: a path to a bundle, or PEM text, instead of the system's authorities.

    One for all connections alike: each holds 2 MB of authorities.
    """
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
