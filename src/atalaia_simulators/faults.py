"""The faults that a test, or a person, turns on while a simulator runs."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# A tuple has the words that there are.
Shape = Literal["flag", "number", "signed", "fraction", "text", "texts", "names"] | tuple[str, ...]
Known = Mapping[str, tuple[Shape, str]]

_EXPECTED: Mapping[Any, str] = {
    "flag": "true or false",
    "number": "a number that is not negative",
    "signed": "a number",
    "fraction": "a number between 0 and 1",
    "text": "a text",
    "texts": "a list of texts",
    "names": "an object of texts by name",
}


class BadFault(Exception):
    """A fault that there is not, or a value that it does not take."""


@dataclass(slots=True)
class Fault:
    """`left`: how many times it still strikes, None until it is cleared. `only`: what it is about, and nothing else."""

    value: Any
    left: int | None = None
    only: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def is_about(self, about: Mapping[str, str]) -> bool:
        """A path is known by its end, everything else as a whole."""
        return all(
            about.get(key, "").endswith(wanted) if key == "path" else about.get(key) == wanted
            for key, wanted in self.only.items()
        )

    def shown(self) -> Any:
        if self.left is None and not self.only and not self.more:
            return self.value
        times = {} if self.left is None else {"times": self.left}
        only = {"only": dict(self.only)} if self.only else {}
        return {"value": self.value, **times, **only, **self.more}


class Faults:
    """`scopes` are the keys that `only` may have; `extras` further keys of a fault's object, and what they take."""

    def __init__(
        self,
        known: Known,
        *,
        true_means: Mapping[str, Any] | None = None,
        scopes: tuple[str, ...] = (),
        extras: Mapping[str, Mapping[str, Shape]] | None = None,
    ) -> None:
        self._known = known
        self._true_means = true_means or {}
        self._scopes = scopes
        self._extras = extras or {}
        self._on: dict[str, Fault] = {}

    def change(self, wanted: Any) -> None:
        """Nothing clears all; false or null clears one; `{"value": …, "times": n}` strikes n times. Raises: BadFault."""
        if not isinstance(wanted, dict):
            raise BadFault("faults are an object: {name: value, …}")
        checked = {name: self._checked(name, value) for name, value in wanted.items()}
        if not wanted:
            self._on.clear()
        for name, fault in checked.items():
            if fault is None:
                self._on.pop(name, None)
            else:
                self._on[name] = fault

    def shown(self) -> dict[str, Any]:
        return {name: fault.shown() for name, fault in self._on.items()}

    def known(self) -> dict[str, str]:
        return {name: what for name, (_, what) in self._known.items()}

    def look(self, name: str, default: Any = None, **about: str) -> Any:
        """Its value, without a strike being counted."""
        fault = self._on.get(name)
        return default if fault is None or not fault.is_about(about) else fault.value

    def strike(self, name: str, **about: str) -> Any:
        """Its value where it is on, counted as one strike; None where it is not, or not about this."""
        fault = self.strike_whole(name, **about)
        return None if fault is None else fault.value

    def strike_whole(self, name: str, **about: str) -> Fault | None:
        fault = self._on.get(name)
        if fault is None or not fault.is_about(about):
            return None
        if fault.left is not None:
            fault.left -= 1
            if fault.left <= 0:
                del self._on[name]
        return fault

    def _checked(self, name: str, value: Any) -> Fault | None:
        if name not in self._known:
            near = difflib.get_close_matches(name, self._known, n=1, cutoff=0)
            raise BadFault(f"there is no fault {name!r}; the nearest is {near[0]!r}")
        fault = self._taken_apart(name, value) if isinstance(value, dict) else Fault(value)
        if fault.value is None or fault.value is False:
            return None
        if fault.value is True and name in self._true_means:
            fault.value = self._true_means[name]
        _check(name, self._known[name][0], fault.value)
        return fault

    def _taken_apart(self, name: str, given: dict[str, Any]) -> Fault:
        extras = self._extras.get(name, {})
        keys = {"value", "times", *extras, *(["only"] if self._scopes else [])}
        if not set(given) <= keys or not _is_count(given.get("times", 1)):
            raise BadFault(f'{name}: an object is {{"value": …, "times": n}}')
        only = given.get("only", {})
        if not isinstance(only, dict) or not all(
            key in self._scopes and isinstance(wanted, str) for key, wanted in only.items()
        ):
            raise BadFault(f"{name}: only takes {', '.join(self._scopes)}, each a text")
        more = {key: given[key] for key in extras if key in given}
        for key, found in more.items():
            _check(f"{name}.{key}", extras[key], found)
        return Fault(given.get("value", True), given.get("times"), only, more)


def _check(name: str, shape: Shape, value: Any) -> None:
    if not _fits(shape, value):
        expected = " or ".join(shape) if isinstance(shape, tuple) else _EXPECTED[shape]
        raise BadFault(f"{name} takes {expected}")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _fits(shape: Shape, value: Any) -> bool:
    match shape:
        case "flag":
            return value is True
        case "number" | "signed" | "fraction":
            return _is_number(value) and (shape == "signed" or value >= 0) and (shape != "fraction" or value <= 1)
        case "text":
            return isinstance(value, str)
        case "texts":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case "names":
            return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
        case _:
            return value in shape


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
