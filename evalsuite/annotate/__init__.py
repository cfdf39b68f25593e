"""Collecting votes: blind, in the rater's language, each one on disk before it is acknowledged."""
