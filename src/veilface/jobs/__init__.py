"""What an image depends on, where it is kept, and who makes it: one recipe, cache and runner."""
