"""One node of the graph per file."""
