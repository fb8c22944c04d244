"""How the exchange wants a request signed: HMAC-SHA256 of query and body, with the signature last."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from atalaia.core.redaction import Secret

KEY_HEADER: Final = "X-MBX-APIKEY"
# What stands in a query as it is: the HTTP client would undo its encoding, and the signature would be of another text.
_PLAIN: Final = "!$'()*,/:?@"


def signature_of(text: str, secret: Secret) -> str:
    return hmac.new(secret.reveal().encode(), text.encode(), hashlib.sha256).hexdigest()


def signed(params: Mapping[str, str], secret: Secret, *, at_ms: int, recv_window_ms: int) -> str:
    """A query, or a form's body. `at_ms` is the exchange's time."""
    whole = {**params, "recvWindow": str(recv_window_ms), "timestamp": str(at_ms)}
    text = urlencode(whole, safe=_PLAIN, quote_via=quote)
    return f"{text}&signature={signature_of(text, secret)}"
