"""The agent: measures what the hub asks for, keeps it on disk, sends it. Standard library only."""

__version__ = "0.1.0"
