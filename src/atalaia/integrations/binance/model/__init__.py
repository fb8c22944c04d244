"""Pure values and decisions of auto-close: no clock of its own, no store, no exchange."""
