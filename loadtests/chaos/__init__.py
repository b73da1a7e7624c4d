"""Chaos Toolkit's way to our faults and measures: its experiments name these modules' functions.

Failures are exceptions whose message is one line; Chaos Toolkit makes a failed activity of them.
"""
