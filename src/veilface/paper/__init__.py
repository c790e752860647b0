"""The tables and figures of the paper, measured here: one module each, data in `published`."""
