"""The method of the paper, one module for each group of equations."""
