"""Models behind an OpenAI-compatible API: what is sent, what comes back, and what is done when it does not."""
