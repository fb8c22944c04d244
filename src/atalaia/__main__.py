"""`atalaia`: the command line. The agent's command loads the agent alone."""

import sys


def main() -> int:
    arguments = sys.argv[1:]
    if arguments[:1] == ["agent"]:
        from atalaia_agent.main import main as run_agent  # nothing else may be loaded into an agent's process

        return run_agent(arguments[1:])
    from atalaia.cli import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
