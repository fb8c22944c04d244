"""Samples in, kept, out, forwarded."""
