"""Judges: each renders a request about an answer and parses the reply. They never call a model themselves."""
