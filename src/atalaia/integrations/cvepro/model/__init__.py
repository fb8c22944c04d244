"""Pure values and decisions of charging: no clock, no store, no network."""
