"""Regression gates: baselines in git, rules in a file, verdicts of three values, and what CI systems read of them."""
