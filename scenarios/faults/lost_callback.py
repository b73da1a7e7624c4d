"""Lost callback: a delivery report or payment notification does not arrive."""

from __future__ import annotations

from typing import ClassVar, Literal

from scenarios.faults.base import Context, Effect, Fault


class LostCallback(Fault):
    """Drops `share` of the callback attempts of `target`; its retry schedule goes on."""

    on_callbacks: ClassVar[bool] = True
    seen: ClassVar[str] = "the lender gets no callback until a later attempt"

    kind: Literal["lost-callback"] = "lost-callback"

    def effect(self, context: Context) -> Effect | None:
        return Effect(lose_callback=True)
