"""An integration as another distribution brings it: a module and an entry point, and nothing of ours touched."""

import shutil
from pathlib import Path

from tests.acceptance.hub import ROOT

EXAMPLE = Path(__file__).parent / "tidewatch" / "source"


def install(into: Path, *, name: str = "tidewatch", source: Path = EXAMPLE) -> dict[str, str]:
    """What must be in the environment of a process that is to find it."""
    site = into / "site"
    shutil.copytree(source, site / name, ignore=shutil.ignore_patterns("__pycache__"))
    record = site / f"{name}-1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (record / "entry_points.txt").write_text(f"[atalaia.integrations]\n{name} = {name}\n", encoding="utf-8")
    return {"PYTHONPATH": f"{site}:{ROOT / 'src'}"}
