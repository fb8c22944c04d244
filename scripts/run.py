"""`make run`: a hub with the embedded store in ./data, and an agent beside it that measures for it."""

import argparse
import os
import socket
import sys
from pathlib import Path

from atalaia.cli.processes import Children, make_key
from atalaia.core.errors import AtalaiaError

ROOT = Path(__file__).resolve().parent.parent
KEY_FILE = "agent.key"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8400)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data")
    options = parser.parse_args()
    try:
        return run(options.data_dir, port=options.port)
    except AtalaiaError as error:
        sys.stderr.write(f"{error}\n{error.hint or ''}\n")
        return 1


def run(data_dir: Path, *, port: int) -> int:
    with Children() as children:
        url = children.start_hub(data_dir, port=port, env={}, log=None, tell=say)
        key_file = agent_key(data_dir)
        where = ["--hub", url, "--key-file", str(key_file), "--spool", str(data_dir / "agent-spool")]
        children.start_agent(*where, "--name", socket.gethostname(), env={}, log=None)
        say("An agent of this machine reports to it. Ctrl-C stops both.")
        return children.wait()


def agent_key(data_dir: Path) -> Path:
    """Made at the first run, for its owner alone."""
    file = data_dir / KEY_FILE
    if not file.exists():
        key = make_key(data_dir, "local-agent", "agent")
        with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as out:
            out.write(key + "\n")
    return file


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
