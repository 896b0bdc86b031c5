"""Files that are whole or absent: atomic writes, tables, rasters, digests and provenance."""
