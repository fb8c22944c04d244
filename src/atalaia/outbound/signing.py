"""How what the hub posts is signed, so that a receiver can tell that it comes from here. See docs/guides/webhooks.md."""

import hashlib
import hmac
from typing import Final

SIGNATURE_HEADER: Final = "X-Atalaia-Signature"
DELIVERY_HEADER: Final = "X-Atalaia-Delivery"


def sign(body: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
