"""Resilience policies: pure decisions with the time passed in, and the gate that applies them."""
