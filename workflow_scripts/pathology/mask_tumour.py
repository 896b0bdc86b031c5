"""Turn the outlines of an annotated slide into a mask."""
