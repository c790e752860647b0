"""Figures from tensors: intervals, operating points, similarity, linkage, line-ups, visibility."""
