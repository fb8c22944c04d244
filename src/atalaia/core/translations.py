"""Texts in the reader's language: catalogues, choice of language, placeholders.

The source language is English: a msgid is the English text. `src/atalaia/<slice>/translations/pt_BR.po` gives the Portuguese.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, cast, get_args

from atalaia.core.retelling import Retelling

Locale = Literal["en", "pt-BR"]

LOCALES: Final[tuple[Locale, ...]] = get_args(Locale)
DEFAULT_LOCALE: Final[Locale] = "en"
SOURCE: Final = Path(__file__).resolve().parents[1]

_WEIGHTED = re.compile(r"\s*([A-Za-z*]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*$")


def N_(msgid: str) -> str:  # noqa: N802 - gettext's own name for "to be translated where it is shown"
    """Mark a text that is translated later: `N_("Down")` in a table of words, `translate` where it is shown."""
    return msgid


@dataclass(frozen=True, slots=True)
class Catalogue:
    """msgid → text, and (singular, plural) by singular → the forms for one and for many."""

    texts: Mapping[str, str] = field(default_factory=dict)
    plurals: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    retelling: Retelling = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "retelling", Retelling(self.texts))


@dataclass(frozen=True, slots=True)
class Translator:
    locale: Locale
    catalogue: Catalogue

    def translate(self, msgid: str, /, **params: object) -> str:
        text = self.catalogue.texts.get(msgid, msgid)
        return text.format_map(params) if params else text

    def retell(self, text: str) -> str:
        """A text that was kept in English with its values filled in; one that is not of the catalogue stays as it is."""
        return self.catalogue.retelling.tell(text)

    def ngettext(self, singular: str, plural: str, n: float, /, **params: object) -> str:
        """The form for `n`, with `{n}` filled by it unless `params` bring an `n` of their own (a formatted one)."""
        one, many = self.catalogue.plurals.get(singular, (singular, plural))
        # Both languages: one is for 1 alone. CLDR's Portuguese puts 0 with 1, people write "0 falhas".
        return (one if n == 1 else many).format_map({"n": n, **params})


class Translations:
    """All catalogues, one translator per language; made once at start."""

    def __init__(self, catalogues: Mapping[Locale, Catalogue]) -> None:
        self._translators = {locale: Translator(locale, catalogues.get(locale, Catalogue())) for locale in LOCALES}

    @classmethod
    def load(cls, roots: Iterable[Path] = (SOURCE,)) -> "Translations":
        """Read every `translations/pt_BR.po` below `roots`."""
        return cls({"pt-BR": read_catalogue(p for root in roots for p in sorted(root.rglob("translations/pt_BR.po")))})

    def translator(self, locale: Locale) -> Translator:
        return self._translators[locale]

    def translate(self, locale: Locale, msgid: str, /, **params: object) -> str:
        return self._translators[locale].translate(msgid, **params)


def read_catalogue(paths: Iterable[Path]) -> Catalogue:
    """The files as one; the first translation of a msgid stands, untranslated ones fall back to English."""
    texts: dict[str, str] = {}
    plurals: dict[str, tuple[str, str]] = {}
    for path in paths:
        found = _read_file(path, path.stat().st_mtime_ns)
        texts = {**found.texts, **texts}
        plurals = {**found.plurals, **plurals}
    return Catalogue(texts, plurals)


@lru_cache(maxsize=100)
def _read_file(path: Path, _changed_ns: int) -> Catalogue:
    """Once in a process, as it is now: reading takes a tenth of a second for all of them, and a request may ask for one."""
    from babel.messages.pofile import read_po  # texts are marked everywhere, and read by the hub alone

    texts: dict[str, str] = {}
    plurals: dict[str, tuple[str, str]] = {}
    with path.open("rb") as file:
        for message in read_po(file, locale="pt_BR", abort_invalid=True):
            if not message.id or message.fuzzy:
                continue
            if isinstance(message.id, tuple | list):
                one, *rest = cast("tuple[str, ...]", message.string)
                if one and rest and rest[0]:
                    plurals.setdefault(message.id[0], (one, rest[0]))
            elif message.string:
                texts.setdefault(message.id, cast("str", message.string))
    return Catalogue(texts, plurals)


def choose_locale(accept_language: str | None, *, chosen: str | None = None) -> Locale:
    """A person's own choice first, then what the browser likes best of what there is, then English."""
    if chosen in LOCALES:
        return chosen
    wanted: list[tuple[float, int, str]] = []
    for position, part in enumerate((accept_language or "")[:500].split(",")):
        if match := _WEIGHTED.match(part):
            wanted.append((-float(match[2] or 1), position, match[1].lower()))
    for negative_weight, _, tag in sorted(wanted):
        if negative_weight == 0:
            continue
        if tag.split("-")[0] == "pt":
            return "pt-BR"
        if tag.split("-")[0] == "en" or tag == "*":
            return "en"
    return DEFAULT_LOCALE
