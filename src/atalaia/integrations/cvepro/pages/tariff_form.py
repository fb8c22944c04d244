"""The form of a new tariff: what is typed, as terms; terms, as they would be typed. Pure.

Bands are rows `band<n>_…`; a row of which nothing is filled in is no band. Errors name fields of the form.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_, Locale
from atalaia.integrations.cvepro.model.tariffs import MOST_BANDS, Band, Terms
from atalaia.integrations.cvepro.pages.typed import shown_micros, typed_micros, typed_whole

ROWS: Final = 4
DAYS: Final = range(1, 8)
_MONEY: Final = ("price", "session_fee", "idle_fee", "monthly_fee")
_TEXTS: Final = ("name", "from", "until", "price")
_PLACE: Final = re.compile(r"bands\[([0-9]+)\]\.(\w+)")


def rows_of(form: Mapping[str, str]) -> int:
    """How many rows it has now."""
    typed = form.get("rows", "")
    return min(MOST_BANDS, max(ROWS, int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 3 else 0))  # noqa: PLR2004 - digits


def typed_of(form: Mapping[str, str]) -> dict[str, Any]:
    """To be shown again."""
    names = ("first_day", *_MONEY, "idle_grace")
    bands = [
        {
            **{name: form.get(f"band{row}_{name}", "") for name in _TEXTS},
            "days": [day for day in DAYS if form.get(f"band{row}_day{day}")],
        }
        for row in range(rows_of(form))
    ]
    return {name: form.get(name, "") for name in names} | {"bands": bands}


def terms_of(form: Mapping[str, str], *, locale: Locale) -> Terms:
    """Raises: InvalidField."""
    if not form.get("price", "").strip():
        raise InvalidField("price", N_("This field is needed."))
    money = {f"{name}_micros": typed_micros(form.get(name, ""), name, locale=locale) for name in _MONEY}
    bands = (_band(form, row, locale) for row in _filled(form))
    return Terms(bands=tuple(bands), idle_grace_min=typed_whole(form.get("idle_grace", ""), "idle_grace"), **money)


def _filled(form: Mapping[str, str]) -> list[int]:
    return [row for row in range(rows_of(form)) if any(form.get(f"band{row}_{name}", "").strip() for name in _TEXTS)]


def _band(form: Mapping[str, str], row: int, locale: Locale) -> Band:
    price = form.get(f"band{row}_price", "")
    if not price.strip():
        raise InvalidField(f"band{row}_price", N_("This field is needed."))
    return Band(
        name=form.get(f"band{row}_name", ""),
        days=tuple(day for day in DAYS if form.get(f"band{row}_day{day}")),
        begins=form.get(f"band{row}_from", ""),
        ends=form.get(f"band{row}_until", ""),
        price_micros=typed_micros(price, f"band{row}_price", locale=locale),
    )


def field_of(path: str, form: Mapping[str, str]) -> str:
    """The form's field for one of the terms: `bands[1].from` is `band2_from` where a row before it is empty."""
    found = _PLACE.fullmatch(path)
    if found is None:
        return path.removesuffix("_micros").removesuffix("_min")
    rows = _filled(form)
    index = int(found[1])
    name = {"price_micros": "price", "days": "day1"}.get(found[2], found[2])
    return f"band{rows[index]}_{name}" if index < len(rows) else ""


def shown_of(terms: Terms | None, *, locale: Locale) -> dict[str, Any]:
    """A form that is filled in with the terms of another tariff, or empty."""
    if terms is None:
        return typed_of({})
    bands = [
        {
            "name": band.name,
            "from": band.begins,
            "until": band.ends,
            "price": shown_micros(band.price_micros, locale=locale) or "0",
            "days": list(band.days),
        }
        for band in terms.bands
    ]
    money = {name: shown_micros(getattr(terms, f"{name}_micros"), locale=locale) for name in _MONEY}
    money["price"] = money["price"] or "0"
    grace = str(terms.idle_grace_min or "")
    spare = typed_of({"rows": str(max(ROWS, len(bands) + 1))})["bands"][len(bands) :]
    return {**money, "idle_grace": grace, "first_day": "", "bands": [*bands, *spare]}
