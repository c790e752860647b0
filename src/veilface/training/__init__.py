"""One training loop for the methods that need training and for attacks that learn."""
