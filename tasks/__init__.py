"""Benchmarks, one file per family. Each exports a `Family`; none imports torch, datasets or pandas."""
