"""Figures and parts of figures that several studies draw."""
