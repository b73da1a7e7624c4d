"""The address under which lenders find the database, whichever server is the primary."""

from __future__ import annotations

from types import TracebackType

from loadtests.postgres.cluster import Cluster
from loadtests.postgres.fence import Fence, Fenced
from loadtests.process import StackProblem
from loadtests.relay import Relay


class Endpoint:
    """A relay that forwards to one primary, and never to a server on a closed timeline.

    It looks at `fence` at every new connection, and cuts all when the timeline it follows is
    closed; `follow` the promoted server then. `relay` is there to break the line to the database.
    A context manager.
    """

    def __init__(self, primary: Cluster, fence: Fence, *, port: int = 0) -> None:
        """Raises as `follow`."""
        self._fence = fence
        self._timeline = self._serving(primary)
        self._primary = primary
        self.relay = Relay(primary.address, name="database endpoint", port=port, guard=self._open)
        self._unwatch = fence.watch(self._look)

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def primary(self) -> Cluster:
        """Whom it follows."""
        return self._primary

    @property
    def url(self) -> str:
        """For the lender; it stays the same over all promotions."""
        return self._primary.url(through=self.relay.address)

    def follow(self, primary: Cluster) -> None:
        """Forward to `primary` from now on; the connections there are get cut. Raises Fenced when
        its timeline is closed, StackProblem when it is down or a standby."""
        self._timeline = self._serving(primary)
        self._primary = primary
        self.relay.set_upstream(primary.address)

    def close(self) -> None:
        """Let go of the port."""
        self._unwatch()
        self.relay.close()

    def _serving(self, primary: Cluster) -> int:
        if primary.in_recovery():
            raise StackProblem(f"{primary.name} is a standby: promote it first")
        timeline = primary.timeline()
        if not self._fence.admits(timeline):
            raise Fenced(
                f"{primary.name} is on timeline {timeline}, which a promotion has closed: rewind"
                " it first"
            )
        return timeline

    def _open(self) -> bool:
        try:
            return self._fence.admits(self._timeline)
        except StackProblem:
            return False

    def _look(self) -> None:
        if not self._open():
            self.relay.drop()
