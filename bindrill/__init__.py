"""Bindrill's command line: every command is a thin call into the other packages."""
