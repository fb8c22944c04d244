"""The way around: groups in the order of the verbs, and what each reader may open."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from atalaia.core.permissions import Principal
from atalaia.core.translations import N_, Translator
from atalaia.sdk.contribution import NavItem

# Key of NavItem.group -> label.
GROUPS: Final = {
    "overview": N_("Overview"),
    "watch": N_("Watch"),
    "incidents": N_("Incidents"),
    "act": N_("Act"),
    "connect": N_("Connect"),
    "serve": N_("Serve"),
    "admin": N_("Administer"),
}


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    href: str
    current: bool
    badge: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    items: Sequence[Link]


def navigation(items: Sequence[NavItem], *, viewer: Principal | None, path: str, translator: Translator) -> list[Group]:
    """What `viewer` may open, with the entry of `path` marked; groups without an entry are left out."""
    if viewer is None:
        return []
    allowed = sorted((item for item in items if viewer.may(item.permission)), key=lambda item: (item.order, item.href))
    current = max((item.href for item in allowed if _is_within(path, item.href)), key=len, default=None)
    return [
        Group(translator.translate(label), links)
        for key, label in GROUPS.items()
        if (links := [_link(item, current, translator) for item in allowed if item.group == key])
    ]


def _link(item: NavItem, current: str | None, translator: Translator) -> Link:
    return Link(translator.translate(item.label), item.href, item.href == current)


def _is_within(path: str, href: str) -> bool:
    return path == href or (href != "/" and path.startswith(href + "/"))
