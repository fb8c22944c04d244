"""A worker: runs jobs on a machine that reaches the hub by HTTP and has no database. docs/guides/workers.md has the wire."""
