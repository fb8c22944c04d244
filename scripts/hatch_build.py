"""Build hook: what npm installs stands in the wheel, also when somebody builds it without `make`."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = Path("src/atalaia/web/static/vendor")


class VendorFiles(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's form
        # An editable install is a step of `make setup`, which fetches them itself a moment later.
        if version == "editable" or (Path(self.root) / VENDOR / "htmx.min.js").is_file():
            return
        subprocess.run([sys.executable, "scripts/assets.py"], cwd=self.root, check=True)
