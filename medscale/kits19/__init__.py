"""Segmentation of kidneys and their tumours in CT (KiTS19): networks compared on the same cases."""
