"""Point estimates with their uncertainty. Pure functions of arrays; no I/O, no clock, no random state of their own."""
