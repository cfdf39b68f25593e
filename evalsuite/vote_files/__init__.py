"""Votes of others' files, and of our own exports, as comparisons. What is dropped is counted, by reason."""
