"""One drill in virtual time: steps destroy and heal, a probe looks, staff decide."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from simpy import Environment, Event

from reports.drills.phases import AFTERWARDS
from reports.drills.result import PHASES
from scenarios.distributions import Delay
from scenarios.drill_calibration import action_name
from scenarios.drill_steps import DrillStep
from scenarios.topology import PostgresStandby, TwoSites
from sim.drills.copies import Link, waits_for_standby
from sim.drills.plan import Fate, Plan, backups, shipped_log
from sim.drills.service import Service, Symptom


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a drill ended. `rto` and `phases` (in the order of PHASES) are None when service never
    came back to its objective; `rpo` is in seconds, `lost` in bindings."""

    rto: float | None
    phases: tuple[float, ...] | None
    rpo: float
    lost: int


LOOSENESS = 1.0
"""Seconds by which the load of a staged drill may be ahead or behind: who was told what by the
fault differs from one run to the next, since no two have the same delays."""

Work = Generator[Event, None, None]


class _Stuck(Exception):
    """A step cannot be done: no readable backup, no standby, no alarm."""


def play_drill(plan: Plan, fate: Fate) -> Outcome:
    """Play the drill of `plan` once."""
    first = plan.drill.steps[0].at or 0.0
    env = Environment(initial_time=first)
    play = _Play(env, plan, fate)
    env.process(play.steps())
    env.run()
    return play.outcome()


class _Play:
    """The state of one drill. Its times are seconds of the run in which the drill is staged."""

    def __init__(self, env: Environment, plan: Plan, fate: Fate) -> None:
        self._env, self._plan, self._fate = env, plan, fate
        topology, calibration = plan.scenario.topology, plan.calibration
        self._waits = waits_for_standby(topology)
        self._flush = 0.0
        if isinstance(topology, PostgresStandby | TwoSites) and topology.commit == "off":
            self._flush = calibration.flush_delay * fate.uniform("flush")
        transit = fate.delay(calibration.replication, "replication")
        self._link = Link(transit + self._flush)
        self._backups = backups(plan, fate)
        self._shipped = shipped_log(plan, fate)
        self.service = Service(env, plan.drill.probe, self._first_check)
        self._standby_serves = True
        self._promoted_at = env.now
        self._destroyed_at = env.now
        self._first_destroyed_at = env.now
        self._old_address_until = -math.inf
        self._gaps: list[tuple[float, float]] = []
        """What is lost: commits from the first of two moments to the second."""
        self._alarmed_at: float | None = None
        self._ordered_at: float | None = None
        self._done: Counter[str] = Counter()
        self._acted: list[tuple[float, float]] = []
        """Begin and end of each action that service waits for."""

    def _first_check(self, outage: int) -> float:
        every = self._plan.drill.probe.every
        phase = every * self._fate.uniform("probe", outage)
        check = self._fate.delay(self._plan.calibration.check, "check", outage)
        return phase - every if check > every - phase else phase

    # ── the steps ───────────────────────────────────────────────────────────────────────────────

    def steps(self) -> Work:
        """All steps one after the other, as a SimPy process."""
        for step in self._plan.drill.steps:
            if step.at is not None and step.at > self._env.now:
                yield self._env.timeout(step.at - self._env.now)
            if step.role == "destroys":
                self._destroyed_at = self._env.now
                DESTROY[step.do](self, step)
                if not self._plan.endless:
                    # Whoever stages a disaster needs time for it; a real one has no such step.
                    yield self._env.timeout(self._takes(step))
                continue
            began = self._env.now
            try:
                yield from HEAL[step.do](self, step)
            except _Stuck:
                return
            if step.phase == "act" and step.do not in AFTERWARDS:
                self._acted.append((began, self._env.now))

    def _kill(self, step: Any) -> None:
        self._down(step.target, "refuses")

    def _freeze(self, step: Any) -> None:
        self._down(step.target, "hangs")

    def _down(self, party: str, symptom: Symptom) -> None:
        if party in ("lender", "site"):
            self.service.breaks("lender", symptom)
        if party in ("primary", "site"):
            self.service.breaks("primary", symptom)
        if party == "standby":
            self._standby_serves = False
            self._link.cut_at = min(self._link.cut_at, self._env.now)
            self._replication_stalls()

    def _lose_site(self, _: DrillStep) -> None:
        self._down("site", "refuses")

    def _cut(self, _: DrillStep) -> None:
        self._link.cut_at = min(self._link.cut_at, self._env.now)
        self._replication_stalls()

    def _lag(self, step: Any) -> None:
        self._link.lag, self._link.lags_since = step.delay, self._env.now
        if step.delay >= self._plan.scenario.journey.request_timeout:
            self._replication_stalls()

    def _replication_stalls(self) -> None:
        if self._waits:
            self.service.breaks("replication", "hangs")

    def _spoil(self, _: DrillStep) -> None:
        self._backups.spoiled.add(self._backups.newest(self._env.now))

    def _nothing(self, _: DrillStep) -> None:
        """The old primary is fenced: customers notice nothing."""

    # ── bringing it back ────────────────────────────────────────────────────────────────────────

    def _detect(self, step: Any) -> Work:
        alarm = self.service.alarm
        yield alarm | self._env.timeout(step.timeout)
        if not alarm.triggered:
            raise _Stuck
        if self._alarmed_at is None:
            self._alarmed_at = self._env.now

    def _decide(self, _: DrillStep) -> Work:
        yield self._env.timeout(self._draw(self._plan.drill.decision, "decide"))
        if self._ordered_at is None:
            self._ordered_at = self._env.now

    def _acts(self, step: DrillStep, more: float = 0.0) -> Event:
        """The time of a step's action, and `more` seconds that grow with the database."""
        return self._env.timeout(self._takes(step) + more)

    def _takes(self, step: DrillStep) -> float:
        name = action_name(step.do, getattr(step, "target", ""))
        return self._draw(self._plan.calibration.action(name), name)

    def _draw(self, delay: Delay, name: str) -> float:
        """How long what is called `name` takes this time; other steps do not change its draws."""
        self._done[name] += 1
        return self._fate.delay(delay, name, self._done[name])

    def _promote(self, step: DrillStep) -> Work:
        if not self._standby_serves:
            raise _Stuck
        stopped = self.service.last_up
        yield self._acts(step)
        if not self._waits:
            self._lose(self._link.received(stopped), stopped)
        self._promoted_at = self._env.now
        # What stays: the deleted table was deleted on the standby too, and keys are the lender's.
        self.service.mend("primary", "page", "disk", "replication")

    def _restart(self, step: Any) -> Work:
        yield self._acts(step)
        if step.target == "primary" and self._flush and self.service.broken_by("primary"):
            stopped = self.service.last_up
            self._lose(stopped - self._flush, stopped)
        self._comes_back(step.target)

    def _thaw(self, step: Any) -> Work:
        yield self._acts(step)
        self._comes_back(step.target)

    def _comes_back(self, party: str) -> None:
        if party == "standby":
            self._standby_serves = True
            self._link.mend()
            self.service.mend("replication")
        else:
            self.service.mend(party)

    def _mend_replication(self, step: DrillStep) -> Work:
        yield self._acts(step)
        self._link.mend()
        self.service.mend("replication")

    def _restore(self, step: Any) -> Work:
        stopped = self.service.last_up
        found = self._backups.readable(stopped, step.older, self._kept)
        if found is None:
            raise _Stuck
        number, read = found
        holds = begun = self._backups.holds(number)
        if self._shipped is not None and not step.older:
            shipped = self._shipped.newest(stopped)
            if shipped >= self._shipped.fewest:
                holds = max(begun, self._shipped.holds(shipped))
        # Each one that is looked at is read through, the one that is then copied too.
        yield self._acts(step, self._plan.copying * (1 + read) + self._replay(begun, holds))
        self._lose(holds, stopped)
        self._new_database()

    def _recover_to(self, step: Any) -> Work:
        stopped = self.service.last_up
        found = self._backups.readable(stopped, 0, self._kept)
        if found is None:
            raise _Stuck
        begun = self._backups.holds(found[0])
        target = max(begun, self._destroyed_at - step.before)
        if self.service.broken_by("primary"):
            # Its unfinished log file went with it: only what was archived is there.
            archived = begun
            if self._shipped is not None:
                archived = self._shipped.holds(self._shipped.newest(stopped))
            target = min(target, max(begun, archived))
        yield self._acts(step, self._plan.copying + self._replay(begun, target))
        self._lose(target, stopped)
        self._new_database()

    @property
    def _kept(self) -> int:
        return getattr(self._plan.scenario.topology, "keep", 1000)

    def _replay(self, since: float, until: float) -> float:
        """Seconds to replay the log of the work of a stretch of time."""
        plan = self._plan
        work = plan.history.acknowledged(since, until, endless=plan.endless)
        return work * plan.calibration.log_size / plan.calibration.replay_rate

    def _new_database(self) -> None:
        self.service.mend("primary", "page", "table", "disk", "replication", "lender")

    def _restore_key(self, step: DrillStep) -> Work:
        yield self._acts(step)
        self.service.mend("key")

    def _free_disk(self, step: DrillStep) -> Work:
        yield self._acts(step)
        self.service.mend("disk")

    def _switch_traffic(self, step: DrillStep) -> Work:
        yield self._acts(step)
        topology = self._plan.scenario.topology
        ttl = topology.ttl if isinstance(topology, TwoSites) else 0.0
        # Ages of remembered addresses are spread evenly over the time that they are kept.
        self._old_address_until = self._env.now + ttl * self._plan.drill.back_at
        self.service.mend("lender")
        yield self._env.timeout(ttl)

    def _switch_back(self, step: DrillStep) -> Work:
        yield self._acts(step, self._replay(self._promoted_at, self._env.now))
        self.service.breaks("handover", "refuses")
        yield self._env.timeout(self._draw(self._plan.calibration.action("promote"), "handover"))
        self.service.mend("handover")

    def _reconcile(self, step: DrillStep) -> Work:
        yield self._acts(step)

    # ── what came of it ─────────────────────────────────────────────────────────────────────────

    def _lose(self, since: float, until: float) -> None:
        if since < until:
            self._gaps.append((since, until))

    def outcome(self) -> Outcome:
        """After the last step."""
        down = self.service.first_down
        fault = down if down is not None else self._plan.drill.steps[0].at or 0.0
        rpo, lost = self._losses(fault)
        if down is None:
            return Outcome(0.0, (0.0,) * len(PHASES), rpo, lost)
        calibration, drill = self._plan.calibration, self._plan.drill
        for number, (up, until) in enumerate(self.service.spans_after_outages()):
            served = up + self._fate.delay(calibration.warm_up, "warm up", number)
            back = served + self._fate.delay(calibration.back, "back", number)
            back = max(back, min(self._old_address_until, until), self._alarmed_at or fault)
            # Judged by whole seconds since the fault, as reports.drills.phases does.
            back = fault + math.ceil(back - fault)
            if back + drill.stable_for <= until:
                return Outcome(back - fault, self._phases(fault, served, back), rpo, lost)
        return Outcome(None, None, rpo, lost)

    def _phases(self, fault: float, served: float, back: float) -> tuple[float, ...]:
        """The parts of the time from `fault` to `back`, cut where reports.drills.phases cuts."""
        ends = [self._alarmed_at, self._ordered_at]
        ends.append(max((end for began, end in self._acted if began < back), default=None))
        moments = [fault]
        for end in (*ends, served, back):
            moments.append(min(back, max(moments[-1], moments[-1] if end is None else end)))
        return tuple(end - begin for begin, end in pairwise(moments))

    def _losses(self, fault: float) -> tuple[float, int]:
        """Age at the fault of the oldest acknowledgement that is lost, and bindings lost."""
        history, endless = self._plan.history, self._plan.endless
        moment = self._fate.uniform("moment")
        if endless:
            shift = history.steady + moment * history.period - fault
        else:
            shift = (2 * moment - 1) * LOOSENESS
        rpo, bindings = 0.0, 0
        for since, until in self._gaps:
            loss = history.lost(since + shift, until + shift, endless=endless)
            bindings += loss.bindings
            if loss.first is not None:
                rpo = max(rpo, fault + shift - loss.first)
        return rpo, bindings


def _breaks(cause: str) -> Callable[[_Play, Any], None]:
    return lambda play, _: play.service.breaks(cause, "refuses")


DESTROY: dict[str, Callable[[_Play, Any], None]] = {
    "kill": _Play._kill,
    "freeze": _Play._freeze,
    "lose-site": _Play._lose_site,
    "cut-replication": _Play._cut,
    "lag-replication": _Play._lag,
    "corrupt-page": _breaks("page"),
    "truncate-file": _breaks("page"),
    "delete-table": _breaks("table"),
    "fill-disk": _breaks("disk"),
    "lose-key": _breaks("key"),
    "spoil-backup": _Play._spoil,
    "revive-primary": _Play._nothing,
}
"""What each step that destroys does to the service."""

HEAL: dict[str, Callable[[_Play, Any], Work]] = {
    "detect": _Play._detect,
    "decide": _Play._decide,
    "promote": _Play._promote,
    "restart": _Play._restart,
    "thaw": _Play._thaw,
    "mend-replication": _Play._mend_replication,
    "restore": _Play._restore,
    "recover-to": _Play._recover_to,
    "restore-key": _Play._restore_key,
    "free-disk": _Play._free_disk,
    "switch-traffic": _Play._switch_traffic,
    "switch-back": _Play._switch_back,
    "reconcile": _Play._reconcile,
}
"""How each step that heals goes, as a SimPy process."""
