"""What everything stands on: files, devices, randomness, keys, seeds and the face template."""
