"""The papers of a month, drawn in a process of their own: nothing here knows the store, the host or the loop."""
