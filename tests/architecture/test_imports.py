"""The import graph is what .importlinter says, and the contracts do bite."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture.tracked import ROOT

LINTER = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path, *, source: Path) -> "subprocess.CompletedProcess[str]":
    command = [str(LINTER), "--no-cache", "--config", str(folder / ".importlinter")]
    environment = {"PYTHONPATH": str(source), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_every_import_points_down() -> None:
    done = lint(ROOT, source=ROOT / "src")
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_import_that_points_up_is_found(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "static", "templates"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    planted = tmp_path / "src" / "atalaia" / "core" / "planted.py"
    planted.write_text("import atalaia.store.store\n", encoding="utf-8")
    done = lint(tmp_path, source=tmp_path / "src")
    assert done.returncode != 0
    assert "atalaia.core is not allowed to import atalaia.store" in done.stdout
