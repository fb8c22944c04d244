"""Proof that a form was made by this hub for this browser.

The proof is an HMAC under the browser's own cookie (the session's token, or before sign-in a visit token): nothing to
store, bound to the session, and new on each page, so that compression gives nothing away.
Source: OWASP Cross-Site Request Forgery Prevention, "signed double-submit cookie"
"""

import base64
import binascii
import hashlib
import hmac
import secrets

HEADER = "X-CSRF-Token"
FIELD = "csrf_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_SALT_BYTES = 16
_MAC_BYTES = 32


def make_proof(cookie_value: str) -> str:
    salt = secrets.token_bytes(_SALT_BYTES)
    return base64.urlsafe_b64encode(salt + _mac(cookie_value, salt)).decode()


def is_proof(proof: str | None, cookie_value: str | None) -> bool:
    if not proof or not cookie_value:
        return False
    try:
        raw = base64.b64decode(proof.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    if len(raw) != _SALT_BYTES + _MAC_BYTES:
        return False
    return hmac.compare_digest(raw[_SALT_BYTES:], _mac(cookie_value, raw[:_SALT_BYTES]))


def _mac(cookie_value: str, salt: bytes) -> bytes:
    return hmac.digest(hashlib.sha256(b"csrf " + cookie_value.encode()).digest(), salt, "sha256")
