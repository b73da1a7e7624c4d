"""The encryption key is not the right one."""

from __future__ import annotations

from typing import Literal

from scenarios.drill_steps.base import DrillStep


class LoseKey(DrillStep):
    """The key file is missing, or holds another key (`how: wrong`), and the lender is started anew:
    one that runs has its keys in memory."""

    role = "destroys"

    do: Literal["lose-key"]
    how: Literal["missing", "wrong"] = "missing"
