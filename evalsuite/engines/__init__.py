"""Engines: hand them planned batches, take back responses. They own weights or sockets and nothing else."""
