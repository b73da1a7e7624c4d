"""What carrying out a step came to."""

from __future__ import annotations

import msgspec


class Done(msgspec.Struct, frozen=True):
    """`detail`: one line on what came of it; `commands`: what ran, without secrets."""

    detail: str = ""
    commands: tuple[str, ...] = ()
