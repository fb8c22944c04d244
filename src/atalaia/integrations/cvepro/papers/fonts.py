"""The letters of the PDFs, embedded.

Bitstream Vera comes with reportlab: Latin letters of western and some of central Europe. DejaVu is the same design with the
rest of Latin, Greek, Cyrillic and more; it is taken, where the machine has it, for the papers that need it.
"""

import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

_VERA: Final = Path(reportlab.__file__).parent / "fonts"
# Debian's fonts-dejavu-core, Alpine's and Fedora's.
_DEJAVU: Final = tuple(
    Path(folder)
    for folder in (
        "/usr/share/fonts/truetype/dejavu",
        "/usr/share/fonts/dejavu",
        "/usr/share/fonts/dejavu-sans-fonts",
    )
)
_UNKNOWN: Final = "?"


class Letters(NamedTuple):
    """Names of two registered fonts, and the letters that both have."""

    plain: str
    bold: str
    known: frozenset[int]

    def fitting(self, text: str) -> str:
        """With what the font lacks replaced: by the letter without its accent, else by a question mark."""
        if self.has(text):
            return text
        return "".join(letter if ord(letter) in self.known else self._nearest(letter) for letter in text)

    def has(self, text: str) -> bool:
        return all(ord(letter) in self.known for letter in text)

    def _nearest(self, letter: str) -> str:
        if unicodedata.category(letter) in {"Mn", "Cf", "Cc"}:
            return ""
        base = [each for each in unicodedata.normalize("NFKD", letter) if ord(each) in self.known]
        return "".join(base) or _UNKNOWN


def letters_for(texts: Iterable[str]) -> Letters:
    """The smallest that has them all, or the one that has most."""
    vera = _letters("Vera", _VERA / "Vera.ttf", _VERA / "VeraBd.ttf")
    if all(vera.has(text) for text in texts):
        return vera
    return _dejavu() or vera


@cache
def _dejavu() -> Letters | None:
    for folder in _DEJAVU:
        plain, bold = folder / "DejaVuSans.ttf", folder / "DejaVuSans-Bold.ttf"
        if plain.is_file() and bold.is_file():
            return _letters("DejaVu", plain, bold)
    return None


@cache
def _letters(name: str, plain: Path, bold: Path) -> Letters:
    faces = [TTFont(f"{name}-{weight}", str(path)) for weight, path in (("plain", plain), ("bold", bold))]
    for face in faces:
        pdfmetrics.registerFont(face)
    known = frozenset.intersection(*(frozenset(face.face.charToGlyph) for face in faces))
    return Letters(faces[0].fontName, faces[1].fontName, known)
