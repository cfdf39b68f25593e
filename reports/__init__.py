"""Reports: stored results to files that people read."""
