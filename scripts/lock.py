"""Write constraints.txt, and the benchmarks' peers' own: every package, its version and hashes, and no address."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GROUPS = ("build", "test", "check", "bench")
PROJECT = ("pyproject.toml", "-o", "constraints.txt", "--extra", "probes", *(f"--group={group}" for group in GROUPS))
PEERS = ("benchmarks/peers/requirements.in", "-o", "benchmarks/peers/constraints.txt")


def main() -> int:
    command = [sys.executable, "-m", "uv", "pip", "compile", "--universal", "--generate-hashes", "--no-header"]
    command += ["--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--python-version", "3.11"]
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "uv"], check=True)
    return max(
        subprocess.run([*command, *what, *sys.argv[1:]], cwd=ROOT, check=False).returncode for what in (PROJECT, PEERS)
    )


if __name__ == "__main__":
    sys.exit(main())
