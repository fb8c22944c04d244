"""SQL of charging."""
