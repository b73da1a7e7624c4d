"""Drills in virtual time, by the thousand: how long recovery takes, and what is lost."""
