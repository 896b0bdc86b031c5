"""Reproducible processing of medical images too large for ordinary deep-learning code."""
