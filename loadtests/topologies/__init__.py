"""Lenders and databases as real processes, laid out as a scenario's `topology` says."""
