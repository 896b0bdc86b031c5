"""Synthetic data with known truth, in the layouts of the real data sets."""
