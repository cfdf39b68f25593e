"""Leaderboards as data: what a page shows, a file exports and a verifier recomputes."""
