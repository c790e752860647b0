"""The operating points of the presets, measured against their targets by one command."""
