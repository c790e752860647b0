"""Recognisers of the user: an ONNX file as target or surrogate."""
