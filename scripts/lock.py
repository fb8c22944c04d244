"""Write constraints.txt: every package, its version and hashes, and no address."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GROUPS = ("build", "test", "check", "bench")


def main() -> int:
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--universal", "--generate-hashes"]
    command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--extra", "probes"]
    command += ["--python-version", "3.11", "-o", "constraints.txt", *(f"--group={group}" for group in GROUPS)]
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "uv"], check=True)
    return subprocess.run([*command, *sys.argv[1:]], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
