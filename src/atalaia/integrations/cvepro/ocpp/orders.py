"""A command as it is asked for, by a form or by JSON."""

from collections.abc import Mapping
from typing import Any, Final

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.commands import Action

_MOST_CONNECTORS: Final = 1000
NAMES: Final = tuple(str(each) for each in Action if each is not Action.DROP)


def read_order(action: str, given: Mapping[str, Any]) -> tuple[Action, dict[str, Any]]:
    """What to do, with `connector` and `tag` where they are given. Raises: InvalidField."""
    if action not in NAMES:
        raise InvalidField("action", N_("one of {names}"), names=", ".join(NAMES))
    found: dict[str, Any] = {"tag": given.get("tag")}
    if given.get("connector") not in {None, ""}:
        found["connector"] = _connector(given["connector"])
    return Action(action), found


def _connector(told: Any) -> int:
    """Raises: InvalidField."""
    text = str(told)
    if not (text.isascii() and text.isdecimal()) or int(text) > _MOST_CONNECTORS:
        raise InvalidField("connector", N_("a whole number"))
    return int(text)
