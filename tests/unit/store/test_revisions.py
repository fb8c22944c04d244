"""The newest revisions, read from the files: the same that Alembic finds, or none at all."""

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from atalaia.app.migrations import migration_folders
from atalaia.store.opening import MIGRATIONS
from atalaia.store.revisions import heads


def _write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text, encoding="utf-8")


def test_they_are_those_that_alembic_finds() -> None:
    locations = [MIGRATIONS, *migration_folders()]
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", "\n".join(map(str, locations)))
    config.set_main_option("path_separator", "newline")
    assert heads(locations) == frozenset(ScriptDirectory.from_config(config).get_heads())


def test_annotated_lines_are_read_too(tmp_path: Path) -> None:
    _write(tmp_path, "a_0001", 'revision: str = "a_0001"\ndown_revision: str | None = None\n')
    _write(tmp_path, "a_0002", 'revision: str = "a_0002"\ndown_revision: str | None = "a_0001"\n')
    assert heads([tmp_path]) == frozenset({"a_0002"})


def test_what_is_said_in_another_way_is_not_guessed(tmp_path: Path) -> None:
    _write(tmp_path, "a_0001", 'revision = "a_0001"\ndown_revision = None\n')
    _write(tmp_path, "a_0002", 'revision = "a_0002"\ndown_revision = ("a_0001", "b_0001")\n')
    assert heads([tmp_path]) is None
