"""Keys and tokens are random, findable, and kept as hashes only."""

import hashlib
import re

import pytest

from atalaia.access.credentials import adopt_key, make_key, make_token
from atalaia.core.errors import InvalidField


def test_a_key_has_a_mark_an_id_and_32_random_bytes() -> None:
    key = make_key()
    assert re.fullmatch(r"ata_[0-9a-f]{12}_[0-9a-f]{64}", key.value)
    assert key.value.startswith(key.prefix + "_")


def test_only_the_hash_of_a_key_is_kept() -> None:
    key = make_key()
    assert key.sha256 == hashlib.sha256(key.value.encode()).digest()
    assert key.value not in repr(key)


def test_no_two_keys_are_alike() -> None:
    assert len({make_key().value for _ in range(100)}) == 100


def test_a_key_in_use_elsewhere_is_taken_over_as_it_is() -> None:
    value = "k" * 16 + "9" * 16
    adopted = adopt_key(value)
    assert adopted.sha256 == hashlib.sha256(value.encode()).digest()
    assert adopted.prefix == "kkkk…"
    assert not adopted.is_weak


def test_a_short_key_in_use_is_taken_over_with_a_warning() -> None:
    assert adopt_key("x1y2z3w4v5u6").is_weak


@pytest.mark.parametrize(
    "value", ["", "short", "x" * 513, "has a space in it", "line\nbreak-in-key", "chave-não-ascii"]
)
def test_what_cannot_be_a_key_is_refused(value: str) -> None:
    with pytest.raises(InvalidField) as refused:
        adopt_key(value)
    assert refused.value.field == "value"


def test_a_token_has_32_random_bytes_and_its_hash_is_stored() -> None:
    value, hashed = make_token()
    assert len(value) == 43
    assert hashed == hashlib.sha256(value.encode()).digest()
