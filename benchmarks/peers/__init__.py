"""Other job queues, measured beside ours in the same run: each with its own interpreter (.venv-peers) and its own server.

Each has a module here that does nothing at all as fast as it can: with 16 jobs at once, durable where it can be, on the core
where the hub would be. Its database or broker and the load are on the other.
"""
