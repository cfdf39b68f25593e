"""Two runs side by side: each as columns of counts, paired sample by sample where their numbers may be compared."""
