"""The steps, each in a module."""
