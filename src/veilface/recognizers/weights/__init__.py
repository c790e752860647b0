"""Readers of weight files and the store that they lie in."""
