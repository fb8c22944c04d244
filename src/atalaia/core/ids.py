"""Identifiers: sortable by time, safe in an address."""

import os
import secrets
import time
from uuid import UUID, uuid4


def new_id() -> str:
    """A UUID version 7 as text: newer ones sort after older ones.

    Source: RFC 9562, section 5.7
    """
    ms = time.time_ns() // 1_000_000
    tail = int.from_bytes(os.urandom(10), "big")
    value = (ms & 0xFFFF_FFFF_FFFF) << 80 | tail
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=value))


def new_uuid4() -> str:
    """For what is shown to others and must not tell its age."""
    return str(uuid4())


def new_token(size_bytes: int = 32) -> str:
    return secrets.token_urlsafe(size_bytes)
