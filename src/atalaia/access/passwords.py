"""Passwords: argon2id in a thread of its own, and the rules that a new one must keep.

Source: OWASP Password Storage Cheat Sheet (argon2id, m=19 MiB, t=2, p=1)
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib.resources import files
from typing import TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from atalaia.core.errors import InvalidField, Overloaded
from atalaia.core.translations import N_

T = TypeVar("T")

MIN_LENGTH = 10
# Long enough for any sentence; short enough that hashing the text costs nothing beside argon2.
MAX_LENGTH = 256
MIN_DIFFERENT_CHARACTERS = 5
# Each hash takes 19 MiB and some 20 ms: two at a time keep a burst of sign-ins from starving the hub.
_THREADS = 2
_MOST_WAITING = 32

# The ones of ten characters and more that lead the lists of leaked passwords, in lower case.
_COMMON = frozenset(files("atalaia.access").joinpath("common_passwords.txt").read_text("utf-8").split())


def check_rules(password: str, *, email: str, field: str = "password") -> None:
    """Refuse what is quickly guessed.

    Raises:
        InvalidField: names `field` and says which rule is broken.
    """
    if len(password) < MIN_LENGTH:
        raise InvalidField(field, N_("a password needs at least {minimum} characters"), minimum=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        raise InvalidField(field, N_("a password may have at most {maximum} characters"), maximum=MAX_LENGTH)
    lowered = password.casefold()
    local_part = email.casefold().partition("@")[0]
    if lowered in {email.casefold(), local_part} or (
        len(local_part) >= MIN_DIFFERENT_CHARACTERS and local_part in lowered
    ):
        raise InvalidField(field, N_("a password must not contain your e-mail address"))
    if lowered in _COMMON or len(set(lowered)) < MIN_DIFFERENT_CHARACTERS:
        raise InvalidField(field, N_("this password is too easy to guess"))


class PasswordHasher:
    """Hashes and verifies, never on the event loop."""

    def __init__(self, *, memory_kib: int = 19456, passes: int = 2, lanes: int = 1) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost=passes, memory_cost=memory_kib, parallelism=lanes, type=argon2.Type.ID
        )
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="passwords")
        self._waiting = 0

    def hash(self, password: str) -> str:
        return self._argon2.hash(password)

    def verify(self, hashed: str | None, password: str) -> bool:
        """Compare; without a hash (no such account) it takes as long as with one, and says no."""
        if len(password) > MAX_LENGTH:
            password, hashed = "", None
        try:
            self._argon2.verify(hashed or self._decoy, password)
        except (VerificationError, InvalidHashError):
            return False
        return hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        """Was it made with other parameters? Then it is to be made anew at the next sign-in."""
        return self._argon2.check_needs_rehash(hashed)

    async def hash_in_thread(self, password: str) -> str:
        return await self._run(lambda: self.hash(password))

    async def verify_in_thread(self, hashed: str | None, password: str) -> bool:
        return await self._run(lambda: self.verify(hashed, password))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= _MOST_WAITING:
            raise Overloaded(N_("too many people are signing in right now"), retry_after_s=2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    @cached_property
    def _decoy(self) -> str:
        return self._argon2.hash("nobody has this one")
