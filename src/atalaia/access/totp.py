"""Second factor: codes of an authenticator application, and the recovery codes for the day the phone is lost.

Source: RFC 6238 (30 s steps, SHA-1, six digits: what every application understands)
"""

import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp
import segno

STEP_S = 30
# One step to either side: a phone's clock may be off by half a minute.
TOLERATED_STEPS = 1
RECOVERY_CODES = 10
# Without 0, 1, i, l, o and u, which are misread on paper.
_RECOVERY_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
_RECOVERY_GROUPS = 4
_RECOVERY_GROUP_LENGTH = 4


def new_secret() -> str:
    """160 bits in base32, as RFC 4226 recommends."""
    return pyotp.random_base32(length=32)


def enrolment_address(secret: str, *, email: str, issuer: str = "Atalaia") -> str:
    """The `otpauth://` address that the QR code holds."""
    address: str = pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=email, issuer_name=issuer)
    return address


def qr_image(address: str) -> str:
    """The QR code as a `data:` address for an image: nothing to fetch, nothing that a strict CSP stops."""
    picture: str = segno.make(address, error="m").svg_data_uri(border=3, omitsize=True, light="#fff", dark="#000")
    return picture


def matched_step(secret: str, code: str, *, now: datetime, last_step: int | None) -> int | None:
    """Which 30 s step does the code belong to; None where it is wrong or was used.

    A code at or before `last_step` (the one that let in last) is refused: a code seen over a shoulder is worth nothing.
    """
    digits = code.replace(" ", "").replace("-", "")
    if not (digits.isascii() and digits.isdigit()):
        return None
    otp = pyotp.TOTP(secret, interval=STEP_S)
    present = int(now.timestamp()) // STEP_S
    found: int | None = None
    # All steps are compared whatever the first ones say, so that the time taken tells nothing.
    for step in range(present - TOLERATED_STEPS, present + TOLERATED_STEPS + 1):
        fits = hmac.compare_digest(otp.generate_otp(step), digits)
        if fits and (last_step is None or step > last_step):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Ten codes like `7kq2-m9xd-c4ht-p8wz`, each of 78 bits, good once."""
    return ["-".join(_recovery_group() for _ in range(_RECOVERY_GROUPS)) for _ in range(RECOVERY_CODES)]


def recovery_hash(code: str) -> bytes:
    """What is stored of a code; case, spaces and dashes don't matter. So much chance needs no slow hash."""
    plain = "".join(code.split()).replace("-", "").lower()
    return hashlib.sha256(b"atalaia recovery " + plain.encode()).digest()


def _recovery_group() -> str:
    return "".join(secrets.choice(_RECOVERY_ALPHABET) for _ in range(_RECOVERY_GROUP_LENGTH))
