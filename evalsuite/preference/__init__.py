"""Preferences between two answers, by people and by judges: win rates, rankings, agreement, planning. Pure."""
