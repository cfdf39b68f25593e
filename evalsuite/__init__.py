"""evalsuite: measures language models in many languages and says what the measurement is worth."""

__version__ = "0.1.0"
