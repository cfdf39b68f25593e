"""Text in six languages: normalising, reading answers, telling languages. Pure; models are loaded on first use."""
