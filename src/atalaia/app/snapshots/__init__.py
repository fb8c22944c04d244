"""Snapshots: one Markdown file of what runs where, without a secret."""
