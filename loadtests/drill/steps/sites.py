"""Steps about two sites."""

from __future__ import annotations

from typing import Any

from loadtests.drill.done import Done
from loadtests.drill.ground import Ground
from loadtests.process import StackProblem
from loadtests.topologies.base import Sites


def lose_site(step: Any, ground: Ground) -> Done:
    """The first site is gone."""
    return _sites(ground).lose_site()


def switch_traffic(step: Any, ground: Ground) -> Done:
    """Customers go to the second."""
    sites = _sites(ground)
    done = sites.switch_traffic()
    ground.clock.sleep(sites.ttl)
    return done


def _sites(ground: Ground) -> Sites:
    if not isinstance(ground.topology, Sites):
        raise StackProblem("there is one site; write topology: {kind: two-sites}")
    return ground.topology


EXECUTORS: dict[str, Any] = {"lose-site": lose_site, "switch-traffic": switch_traffic}
