"""Readers of weight files: dlib, ONNX, TFLite, TensorFlow.js, as graphs of folded layers."""
