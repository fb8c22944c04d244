"""The JSON API of charging."""
