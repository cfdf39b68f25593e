"""What makes a published number checkable: manifests, recomputation, trust levels, and the ledger of a leaderboard."""
