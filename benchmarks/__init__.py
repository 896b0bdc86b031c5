"""Speed and memory, measured on demand: `make bench`."""
