"""People, what they sign in with, API keys, and the audit log."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text

from atalaia.sdk.columns import Blob, Instant, Json, new_metadata

metadata = new_metadata()

people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True),  # in lower case
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text),  # none: invited, has not chosen one yet
    Column("is_disabled", Boolean, nullable=False),
    Column("locale", Text),
    Column("theme", Text),
    Column("timezone", Text),
    Column("totp_secret", Blob),  # sealed
    Column("totp_pending", Blob),  # sealed; shown as a QR code, not yet confirmed by a code
    Column("totp_last_step", BigInteger),
    Column("created_at", Instant, nullable=False),
    Column("signed_in_at", Instant),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("person_id", Text, ForeignKey("people.id"), nullable=False),
    Column("sha256", Blob, nullable=False),
    Column("used_at", Instant),
    PrimaryKeyConstraint("person_id", "sha256"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("sha256", Blob, nullable=False, unique=True),
    Column("person_id", Text, ForeignKey("people.id"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("address", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
)

# Browsers in which a person has signed in before: strangers' guesses don't slow these down.
known_devices = Table(
    "known_devices",
    metadata,
    Column("sha256", Blob, primary_key=True),
    Column("person_id", Text, ForeignKey("people.id"), nullable=False),
    Column("seen_at", Instant, nullable=False, index=True),
)

# First start, invitation, reset link, and the moment between password and code.
one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    Column("sha256", Blob, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("person_id", Text, ForeignKey("people.id"), index=True),
    Column("expires_at", Instant, nullable=False, index=True),
)

sign_in_tallies = Table(
    "sign_in_tallies",
    metadata,
    Column("counter", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("last_at", Instant, nullable=False, index=True),
    PrimaryKeyConstraint("counter", "subject"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("sha256", Blob, nullable=False, unique=True),
    Column("scopes", Json, nullable=False),  # list of names
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
)

# Apart from the keys: it changes each minute, they don't.
key_uses = Table(
    "key_uses",
    metadata,
    Column("key_id", Text, ForeignKey("api_keys.id"), primary_key=True),
    Column("used_at", Instant, nullable=False),
)

# One row. The number grows with each change that a key's holder must feel at once; every hub's memory of keys is good
# for one number only.
key_revision = Table(
    "key_revision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)

# Rows are only added; triggers of the first migration refuse the rest.
audit = Table(
    "audit",
    metadata,
    Column("id", Text, primary_key=True),  # UUID version 7: sorts by time
    Column("at", Instant, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("before", Json),
    Column("after", Json),
    Column("address", Text),
    Index("ix_audit_object_id", "object", "id"),
    Index("ix_audit_actor_id_id", "actor_id", "id"),
    Index("ix_audit_action_id", "action", "id"),
)
