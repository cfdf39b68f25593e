"""Sealed runs as tables: of pandas (``evalsuite.load``) and of DuckDB (``evalsuite sql``), with the same columns."""
