"""Drills in wall time: something real is destroyed under load and brought back, step by step."""
