"""What every topology can do: start, be broken, be brought back, say where its data is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from loadtests.drill.done import Done
from scenarios.drill_steps.base import Party


class Topology(ABC):
    """Databases, and the lenders on them, in the care of a stack. Everything raises StackProblem.

    Moments are seconds since the epoch.
    """

    @abstractmethod
    def start(self) -> None:
        """Start databases, gateways and lenders, and wait until they are ready."""

    @abstractmethod
    def stop(self) -> None:
        """Stop what the stack does not stop by itself. May be called at any moment, and twice."""

    @property
    @abstractmethod
    def database(self) -> str:
        """The SQLAlchemy URL of the database that serves now."""

    @property
    def others(self) -> dict[str, str]:
        """Databases beside it that can be read, by name: an old primary, say."""
        return {}

    @property
    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Of the database software."""

    @abstractmethod
    def kill(self, target: Party) -> Done:
        """SIGKILL."""

    @abstractmethod
    def freeze(self, target: Party) -> Done:
        """SIGSTOP."""

    @abstractmethod
    def thaw(self, target: Party) -> Done:
        """SIGCONT."""

    @abstractmethod
    def restart(self, target: Party) -> Done:
        """Start it again on its own data."""

    @abstractmethod
    def corrupt_page(self, table: str) -> Done:
        """Overwrite bytes of a page of `table` on the disk."""

    @abstractmethod
    def truncate_file(self, table: str) -> Done:
        """Cut the file of `table` to half its size."""

    @abstractmethod
    def delete_table(self, table: str) -> Done:
        """Drop `table` in the live database."""

    @abstractmethod
    def fill_disk(self) -> Done:
        """Refuse the database's writes."""

    @abstractmethod
    def free_disk(self) -> Done:
        """Accept them again."""

    @abstractmethod
    def spoil_backup(self) -> Done:
        """Damage the newest backup."""

    @abstractmethod
    def restore(self, struck_at: float, older: int) -> Done:
        """Bring the newest readable backup from before `struck_at`, or one that is `older` by so
        many, to a new place, and start the lender on it."""


class Replicated(Topology):
    """A topology with a standby."""

    @abstractmethod
    def cut_replication(self) -> Done:
        """Let nothing through to the standby."""

    @abstractmethod
    def lag_replication(self, delay: float) -> Done:
        """Deliver to the standby `delay` seconds late."""

    @abstractmethod
    def mend_replication(self) -> Done:
        """Deliver at once again."""

    @abstractmethod
    def promote(self) -> Done:
        """Make the standby the primary, fence the old one, send the lender to the new one."""

    @abstractmethod
    def revive_primary(self) -> Done:
        """Start the old primary on its data, and try to write to it as a client that knows its
        address would."""

    @abstractmethod
    def switch_back(self) -> Done:
        """Give the old primary its role again."""

    @abstractmethod
    def recover_to(self, moment: float) -> Done:
        """Replay backup and archived log to `moment` in a new place, and serve from there."""


class Sites(Replicated):
    """A topology with two sites; customers keep an old address for `ttl` seconds."""

    ttl: float

    @abstractmethod
    def lose_site(self) -> Done:
        """Kill everything of the first site and let nobody reach it."""

    @abstractmethod
    def switch_traffic(self) -> Done:
        """Send customers to the second site, as their cached addresses expire."""
