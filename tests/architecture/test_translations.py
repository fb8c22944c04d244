"""Every text that people read has its Portuguese.

`.venv/bin/python scripts/messages.py <slice>` adds what is missing to a slice's file; then translate it there.
"""

import re
from collections import defaultdict

from scripts.messages import catalogues, missing, texts

PLACE = re.compile(r"\{(\w+)\}")


def _forms(value: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def test_every_text_has_a_portuguese_translation() -> None:
    open_ = [f"{text.where}: {text.msgid!r}" for text in missing()]
    assert not open_, f"{len(open_)} texts have no translation:\n" + "\n".join(open_)


def test_a_translation_has_the_places_of_its_text() -> None:
    wrong = [
        f"{owner}: {text!r} → {said!r}"
        for owner, catalogue in catalogues().items()
        for message in catalogue
        for text, said in zip(_forms(message.id), _forms(message.string), strict=False)
        if text and said and set(PLACE.findall(text)) != set(PLACE.findall(said))
    ]
    assert not wrong, "\n".join(wrong)


def test_one_text_has_one_translation() -> None:
    said: dict[str, dict[object, str]] = defaultdict(dict)
    for owner, catalogue in catalogues().items():
        for message in catalogue:
            if message.id and message.string:
                said[str(message.id)][message.string] = owner
    several = {text: forms for text, forms in said.items() if len(forms) > 1}
    assert not several, "\n".join(f"{text}: {forms}" for text, forms in several.items())


def test_no_translation_is_marked_as_a_guess() -> None:
    guesses = [m.id for catalogue in catalogues().values() for m in catalogue if m.id and m.fuzzy]
    assert not guesses


def test_the_reader_of_sources_finds_what_there_is() -> None:
    """Were the extraction to break, the tests above would pass on nothing."""
    found = {text.msgid for text in texts()}
    assert {"Skip to content", "Down", "{span} ago", "{n} row"} <= found
