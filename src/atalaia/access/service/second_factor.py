"""The second factor of an account: enrolled, proved, given up."""

from datetime import datetime

import msgspec

from atalaia.access import totp
from atalaia.access.audit import record
from atalaia.access.model import Secrets, principal_of_person
from atalaia.access.queries import people as queries
from atalaia.core.errors import Conflict, InvalidField, NotFound
from atalaia.core.permissions import Principal
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows: the code to scan, and the same as text to type."""

    secret: str
    qr_image: str

    def __repr__(self) -> str:
        return "Enrolment(***)"


def begin_enrolment(tx: Tx, person_id: str, *, sealer: Sealer) -> Enrolment:
    """A new secret, not in force before a code confirms it.

    Raises:
        Conflict: there is a second factor already.
    """
    found = queries.lock_by_id(tx, person_id)
    if found is None:
        raise NotFound(N_("there is no such person"))
    person, _ = found
    if person.has_totp:
        raise Conflict(N_("there is a second factor already: remove it first"))
    secret = totp.new_secret()
    queries.change(tx, person_id, {"totp_pending": sealer.seal(secret, purpose=_purpose(person_id))})
    return _enrolment(secret, person.email)


def pending_enrolment(tx: Tx, person_id: str, *, sealer: Sealer) -> Enrolment | None:
    """The one that has begun, to be shown again after a mistyped code."""
    person, secrets = queries.find_by_id(tx, person_id), queries.secrets_of(tx, person_id)
    if person is None or secrets is None or secrets.totp_pending is None:
        return None
    return _enrolment(sealer.open(secrets.totp_pending, purpose=_purpose(person_id)), person.email)


def confirm_enrolment(
    tx: Tx, person_id: str, code: str, *, sealer: Sealer, now: datetime, address: str | None
) -> list[str]:
    """From now on a code is asked for; the recovery codes are shown this once.

    Raises:
        InvalidField: the code is not the application's.
        Conflict: nothing has begun.
    """
    found = queries.lock_by_id(tx, person_id)
    if found is None or found[1].totp_pending is None:
        raise Conflict(N_("begin with a new QR code"))
    person, secrets = found
    secret = sealer.open(secrets.totp_pending or b"", purpose=_purpose(person_id))
    step = totp.matched_step(secret, code, now=now, last_step=None)
    if step is None:
        raise InvalidField("code", N_("this code is not right; is the phone's clock?"))
    values = {"totp_secret": secrets.totp_pending, "totp_pending": None, "totp_last_step": step}
    queries.change(tx, person_id, values)
    principal = principal_of_person(person)
    record(tx, principal, "person.second_factor_added", f"person:{person_id}", address=address, now=now)
    return new_recovery_codes(tx, person_id)


def new_recovery_codes(tx: Tx, person_id: str) -> list[str]:
    codes = totp.new_recovery_codes()
    queries.replace_recovery_codes(tx, person_id, [totp.recovery_hash(code) for code in codes])
    return codes


def remove_own(tx: Tx, actor: Principal, *, now: datetime, address: str | None) -> None:
    clear(tx, actor.id)
    record(tx, actor, "person.second_factor_removed", f"person:{actor.id}", address=address, now=now)


def clear(tx: Tx, person_id: str) -> None:
    queries.change(tx, person_id, {"totp_secret": None, "totp_pending": None, "totp_last_step": None})
    queries.replace_recovery_codes(tx, person_id, [])


def proves_second_factor(
    tx: Tx, person_id: str, secrets: Secrets, code: str, *, sealer: Sealer, now: datetime
) -> str | None:
    """How a code proves it (`totp`, `recovery_code`), spending it; None where it doesn't."""
    if secrets.totp_secret is None:
        return None
    secret = sealer.open(secrets.totp_secret, purpose=_purpose(person_id))
    step = totp.matched_step(secret, code, now=now, last_step=secrets.totp_last_step)
    if step is not None:
        queries.change(tx, person_id, {"totp_last_step": step})
        return "totp"
    if queries.use_recovery_code(tx, person_id, totp.recovery_hash(code), now=now):
        return "recovery_code"
    return None


def _enrolment(secret: str, email: str) -> Enrolment:
    return Enrolment(secret=secret, qr_image=totp.qr_image(totp.enrolment_address(secret, email=email)))


def _purpose(person_id: str) -> str:
    return f"totp:{person_id}"
