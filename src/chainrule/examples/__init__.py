"""Bundled worked examples, and a small real table."""
