"""Passwords are slow to guess, and so is finding out who has an account."""

import asyncio
import time

import pytest

from atalaia.access.passwords import MAX_LENGTH, PasswordHasher, check_rules
from atalaia.core.errors import InvalidField, Overloaded

EMAIL = "maria.souza@example.com"
GOOD = "três tigres tristes"


@pytest.fixture(scope="module")
def hasher() -> PasswordHasher:
    return PasswordHasher()


def test_a_hash_is_argon2id_with_the_parameters_of_owasp(hasher: PasswordHasher) -> None:
    assert hasher.hash(GOOD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_the_right_password_passes_and_a_wrong_one_does_not(hasher: PasswordHasher) -> None:
    hashed = hasher.hash(GOOD)
    assert hasher.verify(hashed, GOOD)
    assert not hasher.verify(hashed, GOOD + "!")


def test_nobody_gets_in_without_a_hash_not_even_with_the_decoys_password(hasher: PasswordHasher) -> None:
    assert not hasher.verify(None, GOOD)
    assert not hasher.verify(None, "nobody has this one")


def test_a_damaged_hash_lets_nobody_in(hasher: PasswordHasher) -> None:
    assert not hasher.verify("$argon2id$broken", GOOD)


def test_an_unknown_account_takes_as_long_as_a_known_one(hasher: PasswordHasher) -> None:
    hashed = hasher.hash(GOOD)
    hasher.verify(None, GOOD)  # the decoy is made at first use

    def seconds(stored: str | None) -> float:
        """Of the processor: what others take of it does not count, and the least of several is what it costs."""
        begin = time.process_time()
        hasher.verify(stored, "a wrong password")
        return time.process_time() - begin

    both = [(seconds(hashed), seconds(None)) for _ in range(7)]
    known, unknown = (min(each) for each in zip(*both, strict=True))
    assert 0.3 < unknown / known < 3


def test_a_hash_of_weaker_parameters_is_made_anew(hasher: PasswordHasher) -> None:
    weak = PasswordHasher(memory_kib=64, passes=1).hash(GOOD)
    assert hasher.verify(weak, GOOD)
    assert hasher.is_outdated(weak)
    assert not hasher.is_outdated(hasher.hash(GOOD))


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "nine char",
        "x" * (MAX_LENGTH + 1),
        EMAIL,
        EMAIL.upper(),
        "my maria.souza 1",
        "aaaaaaaaaaaa",
        "1212121212",
        "Password123",
        "qwertyuiop",
        "SENHA12345",
    ],
)
def test_what_is_quickly_guessed_is_refused_and_the_field_is_named(password: str) -> None:
    with pytest.raises(InvalidField) as refused:
        check_rules(password, email=EMAIL, field="new_password")
    assert refused.value.field == "new_password"


@pytest.mark.parametrize("password", [GOOD, "correct horse battery", "Xk3-vv9q-LL", "ção ção ção vai"])
def test_a_good_password_needs_no_special_characters(password: str) -> None:
    check_rules(password, email=EMAIL)


def test_a_short_name_before_the_at_sign_may_be_part_of_a_password() -> None:
    check_rules("anatomy lessons", email="ana@example.com")


async def _burst(hasher: PasswordHasher) -> list[object]:
    return await asyncio.gather(
        *(hasher.verify_in_thread(None, "a wrong password") for _ in range(40)), return_exceptions=True
    )


def test_a_burst_of_sign_ins_is_answered_busy_instead_of_piling_up() -> None:
    hasher = PasswordHasher(memory_kib=64, passes=1)
    outcomes = asyncio.run(_burst(hasher))
    hasher.close()
    assert sum(isinstance(outcome, Overloaded) for outcome in outcomes) == 8
    assert outcomes.count(False) == 32
