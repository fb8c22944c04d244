"""Where somebody begins who may not see the overview."""

import dataclasses

from atalaia.core.permissions import ROLE_PERMISSIONS, Permission, Principal, Role
from atalaia.sdk.contribution import NavItem
from atalaia.web.navigation import first_page

ITEMS = (
    NavItem("overview", "Overview", "/", Permission.OVERVIEW_READ, order=10),
    NavItem("watch", "Chargers", "/chargers", Permission.DASHBOARDS_READ, order=70),
    NavItem(
        "watch", "My charging", "/chargers/mine", Permission.DASHBOARDS_READ, order=71, roles=frozenset({Role.CLIENT})
    ),
)


def who(role: Role) -> Principal:
    return Principal(id="p", kind="person", name="P", permissions=ROLE_PERMISSIONS[role], role=role)


def test_a_resident_begins_at_what_is_made_for_residents() -> None:
    assert first_page(ITEMS, who(Role.CLIENT)) == "/chargers/mine"


def test_others_begin_at_the_first_that_they_may_see() -> None:
    assert first_page(ITEMS, who(Role.COLLABORATOR)) == "/chargers"


def test_who_may_see_nothing_has_no_first_page() -> None:
    assert first_page(ITEMS, who(Role.MACHINE)) is None


def test_nobody_begins_at_what_is_not_in_use() -> None:
    unused = [dataclasses.replace(item, is_in_use=lambda: False) for item in ITEMS[1:]]
    assert first_page([ITEMS[0], *unused], who(Role.CLIENT)) is None
    assert first_page([*ITEMS[:2], *unused], who(Role.CLIENT)) == "/chargers"
