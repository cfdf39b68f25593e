"""Sealed runs in experiment trackers, behind one function: `log_run.log_run`. Each tracker is an extra of its own."""
