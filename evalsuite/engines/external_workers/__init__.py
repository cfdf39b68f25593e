"""Scripts for another Python, in whose environment a neural metric is installed; they import nothing of evalsuite."""
