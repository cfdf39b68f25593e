"""Scripts that another Python runs, in whose environment a neural metric is installed; they import nothing of evalsuite."""
