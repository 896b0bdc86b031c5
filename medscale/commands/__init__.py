"""Commands beside the workflow, one a file; each imports its part of the library when it runs."""
