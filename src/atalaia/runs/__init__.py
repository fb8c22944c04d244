"""One attempt at a job, wherever it runs: what its handler is given, and what its end means. No network, no store."""
