"""The hub's composition root: all wiring is here."""
