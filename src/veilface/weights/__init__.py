"""Where weight files lie and come from, with their hashes; for every network of the package."""
