"""Servers that end with their test."""

from __future__ import annotations

from raw_servers import raw_server as raw_server
