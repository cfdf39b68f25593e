"""One directory per run: an immutable spec and plans, an append-only journal, and results derived from them."""
