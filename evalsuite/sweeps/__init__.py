"""Sweeps: models times tasks times settings as one plan, run cell by cell, resumed at any point, and what they show."""
