"""Segmentation networks of the thesis (Detko, Segmentation of kidney and tumour, CTU 2020, section 5.2)."""
