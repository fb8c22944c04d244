"""The key of stored secrets is on the disk whole, or not at all."""

import os
import stat
from pathlib import Path

import pytest

from atalaia.core.errors import ConfigError
from atalaia.store.encryption import FILE_NAME, load_sealer, write_key_file


@pytest.fixture(autouse=True)
def _no_key_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ATALAIA_SECRET_KEY", raising=False)


def test_a_file_without_a_key_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("\n", encoding="ascii")
    with pytest.raises(ConfigError) as refused:
        load_sealer(tmp_path)
    assert refused.value.code == "bad_secret_key"


def test_a_start_that_dies_while_it_writes_the_key_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(_handle: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", die)
        with pytest.raises(KeyboardInterrupt):
            load_sealer(tmp_path)
    assert list(tmp_path.iterdir()) == []
    sealed = load_sealer(tmp_path).seal("x", purpose="p")
    assert load_sealer(tmp_path).open(sealed, purpose="p") == "x"


@pytest.mark.parametrize("has_links", [True, False])
def test_a_key_is_its_owners_alone_and_never_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not has_links:
        monkeypatch.setattr(os, "link", refuse)
    write_key_file(tmp_path, "one")
    with pytest.raises(FileExistsError):
        write_key_file(tmp_path, "two")
    assert [(path.name, path.read_text("ascii")) for path in tmp_path.iterdir()] == [(FILE_NAME, "one\n")]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
