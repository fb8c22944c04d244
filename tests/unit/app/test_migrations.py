"""Migrations are found without loading what they belong to; they are all of them."""

from atalaia.app.integrations import integration_folders
from atalaia.app.migrations import SOURCE, migration_folders


def test_every_slice_and_every_integration_has_its_own_among_them() -> None:
    found = migration_folders()
    own = [path.parent for path in SOURCE.glob("*/migrations") if path.parent.name != "store"]
    assert {folder.parent for folder in found} == {
        *own,
        *(f.parent for f in integration_folders("migrations").values()),
    }
    assert len(found) == len(set(found))
