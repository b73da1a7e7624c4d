"""Capacity plans: what is needed by month, what it costs, and when today's set-up runs out."""
