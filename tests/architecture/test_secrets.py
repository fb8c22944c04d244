"""No secret stands in a tracked file: known forms, and whatever looks random beside a name like `token`."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tracked import text_files

KNOWN_FORMS = {
    "private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
    "AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})\b",
    "Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{20,}\b",
    "API key of a model service": r"\bsk-[A-Za-z0-9_-]{32,}\b",
    "JSON web token": r"\beyJ[A-Za-z0-9_-]{16,}\.eyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    "key of Atalaia": r"\bata_[a-z0-9]+_[A-Za-z0-9_-]{32,}",
}
NAMED = re.compile(
    r"""(?ix) (?:passw(?:or)?d|secret|token|api_?key|private_?key|\bkey)["']?\s*[:=]\s*["']([A-Za-z0-9+/=_-]{24,})["']"""
)
LOCKS = {"constraints.txt", "package-lock.json"}
# Published examples of others (RFC test vectors, a vendor's documentation) and keys of test data, each said in full.
PUBLISHED: frozenset[str] = frozenset()
RANDOM_BITS = (
    3.8  # words in prose have less than this a character, base64 of random bytes has 4.5 and more at 24 characters
)


def entropy_bits(text: str) -> float:
    """Bits a character, by the text's own letters."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def findings(path: Path, text: str) -> Iterator[str]:
    for name, form in KNOWN_FORMS.items():
        yield from (f"{path}: {name}" for _ in re.finditer(form, text))
    for found in NAMED.finditer(text):
        value = found[1]
        if value not in PUBLISHED and entropy_bits(value) >= RANDOM_BITS and re.search(r"\d", value):
            yield f"{path}: {found[0][:24]}…"


def test_no_tracked_file_holds_a_secret() -> None:
    found = [finding for path, text in text_files() if path.name not in LOCKS for finding in findings(path, text)]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN " + "PRIVATE KEY-----",
        'token = "' + "q8Zr1Vt6Yx3Bn9Lm4Kc7Wd2Ps5" + '"',
        "gh" + "p_" + "a1B2c3D4" * 5,
    ],
)
def test_a_planted_secret_is_found(line: str) -> None:
    assert list(findings(Path("planted.py"), line))
