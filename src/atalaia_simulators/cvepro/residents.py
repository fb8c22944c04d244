"""Who lives there: names, flats and tags, by number. Two to a charger."""

from typing import Final

_FIRST: Final = (
    *("Ana", "Bruno", "Carla", "Davi", "Elisa", "Fábio", "Gabriela", "Heitor", "Inês", "João"),
    *("Karina", "Luís", "Márcia", "Nélson", "Olívia", "Paulo", "Queila", "Rui", "Sônia", "Tiago"),
)
_LAST: Final = ("Souza", "Lima", "Dias", "Rocha", "Prado", "Nunes", "Alves", "Moraes", "Conceição", "D'Ávila", "Reis")
_FLATS_A_FLOOR: Final = 4
_SHARED_FROM: Final = 36  # who comes after has a flat together with one of the first
_SECOND_TAG_EVERY: Final = 8
_PER_CHARGER: Final = 2
_SECOND: Final = 0x800


def residents_of(chargers: int) -> int:
    return _PER_CHARGER * chargers


def resident_name(number: int) -> str:
    return f"{_FIRST[(number - 1) % len(_FIRST)]} {_LAST[(number * 7) % len(_LAST)]}"


def flat_of(number: int) -> str:
    place = (number - 1) % _SHARED_FROM
    return f"Apto {(place // _FLATS_A_FLOOR + 1) * 100 + place % _FLATS_A_FLOOR + 1}"


def tag_of(number: int, *, is_second: bool = False) -> str:
    return f"04A{number + (_SECOND if is_second else 0):05X}"


def tags_of(number: int) -> tuple[str, ...]:
    """One or two."""
    second = (tag_of(number, is_second=True),) if number % _SECOND_TAG_EVERY == 0 else ()
    return (tag_of(number), *second)


def visitor_tag(number: int) -> str:
    """The vendor knows it, and nobody's name with it."""
    return f"04FF{number:04X}"
