"""Reports of an evaluation: one HTML file that opens from disk. Needs the extra ``report``."""
