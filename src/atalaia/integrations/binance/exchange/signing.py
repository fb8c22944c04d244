"""How the exchange wants a request signed: HMAC-SHA256 of query and body, with the signature last."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from atalaia.core.redaction import Secret

KEY_HEADER: Final = "X-MBX-APIKEY"


def signature_of(text: str, secret: Secret) -> str:
    return hmac.new(secret.reveal().encode(), text.encode(), hashlib.sha256).hexdigest()


def signed(params: Mapping[str, str], secret: Secret, *, at_ms: int, recv_window_ms: int) -> str:
    """A query, or a form's body. `at_ms` is the exchange's time."""
    text = urlencode({**params, "recvWindow": str(recv_window_ms), "timestamp": str(at_ms)})
    return f"{text}&signature={signature_of(text, secret)}"
