"""Protectors: they rewrite aligned faces. See `registry` for the names."""
