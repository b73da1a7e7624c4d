"""The binding world in virtual time, on SimPy."""
