"""The moment somebody is let in: a new session, whatever the browser brought with it."""

import ipaddress
from datetime import datetime, timedelta

import msgspec

from atalaia.access.audit import record
from atalaia.access.credentials import digest, make_token
from atalaia.access.model import TOKEN_TTL_S, Person, TokenKind, principal_of_person
from atalaia.access.queries import people as people_queries
from atalaia.access.queries import ways_in
from atalaia.sdk.transaction import Tx

# What one household or one rented server has of IPv6 addresses.
_IPV6_BUCKET_BITS = 64


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Where a sign-in comes from. `device_token` is the cookie of a browser that has signed in before."""

    address: str
    user_agent: str = ""
    device_token: str | None = None

    def __repr__(self) -> str:
        return f"Visitor({self.address})"

    @property
    def bucket(self) -> str:
        """What tries are counted by: an IPv4 address, or an IPv6 network of 64 bits."""
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            return self.address
        if isinstance(address, ipaddress.IPv6Address):
            if address.ipv4_mapped is not None:
                return str(address.ipv4_mapped)
            return str(ipaddress.ip_network((address, _IPV6_BUCKET_BITS), strict=False))
        return str(address)


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is in. `device_token` is new for a browser that had none of this person."""

    person: Person
    session_token: str
    device_token: str | None

    def __repr__(self) -> str:
        return f"Entered({self.person.id})"


class NeedsCode(msgspec.Struct, frozen=True, kw_only=True):
    """The password was right; `factor_token` is the proof of it for the second step."""

    factor_token: str

    def __repr__(self) -> str:
        return "NeedsCode(***)"


def enter(tx: Tx, person: Person, *, visitor: Visitor, now: datetime, factor: str | None = None) -> Entered:
    """Begin a session. `factor` says how the second step was passed, for the log."""
    session_token, sha256 = make_token()
    session_id = ways_in.add_session(
        tx, sha256, person_id=person.id, address=visitor.address, user_agent=visitor.user_agent, now=now
    )
    people_queries.change(tx, person.id, {"signed_in_at": now})
    principal = principal_of_person(person, session_id=session_id)
    after = {"second_factor": factor}
    record(tx, principal, "sign_in.succeeded", f"person:{person.id}", after=after, address=visitor.address, now=now)
    return Entered(person=person, session_token=session_token, device_token=_remember_device(tx, person, visitor, now))


def new_factor_token(tx: Tx, person_id: str, *, now: datetime) -> str:
    value, sha256 = make_token()
    expires_at = now + timedelta(seconds=TOKEN_TTL_S[TokenKind.SECOND_FACTOR])
    ways_in.add_token(tx, sha256, kind=TokenKind.SECOND_FACTOR, person_id=person_id, expires_at=expires_at)
    return value


def _remember_device(tx: Tx, person: Person, visitor: Visitor, now: datetime) -> str | None:
    if visitor.device_token is not None:
        known = digest(visitor.device_token)
        if ways_in.is_known_device(tx, known, person_id=person.id):
            ways_in.touch_device(tx, known, now=now)
            return None
    value, sha256 = make_token()
    ways_in.add_device(tx, sha256, person_id=person.id, now=now)
    return value
