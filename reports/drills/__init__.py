"""Drills: what was lost, for how long, and how we know."""
