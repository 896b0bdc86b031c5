"""Sparse-view CT: images, simulated sinograms, reconstructions and their denoiser."""
