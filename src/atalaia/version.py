"""Which version this is: the package's, and the commit where it is known."""

import os
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def _commit() -> str | None:
    given = os.environ.get("ATALAIA_COMMIT")
    if given:
        return given
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, check=True, timeout=5
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode().strip()


try:
    VERSION = version("atalaia")
except PackageNotFoundError:  # run from a source tree that was never installed
    VERSION = "0"
COMMIT = _commit()
