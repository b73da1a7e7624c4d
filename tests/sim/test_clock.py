import pytest
from simpy import Environment

from sim.clock import Deadlines, call_at, pause, run_until, start, wait


def test_coroutines_wait_for_events_and_get_their_values():
    env = Environment()
    seen = []

    async def work():
        seen.append(await wait(env.timeout(3, value="three")))
        seen.append(env.now)

    start(work())
    env.run()
    assert seen == ["three", 3]


def test_what_a_coroutine_raises_comes_out():
    env = Environment()

    async def work():
        await wait(env.timeout(1))
        raise KeyError("lost")

    start(work())
    try:
        env.run()
    except KeyError:
        return
    raise AssertionError("the error was swallowed")


class Caller:
    """Begins at one moment and is served at another."""

    def __init__(self, env, deadlines, begins, takes, patience):
        self.env, self.deadlines = env, deadlines
        self.token, self.patience, self.ended = 0, patience, None
        call_at(env, begins, self._begin)
        call_at(env, begins + takes, self._served)

    def _begin(self, _):
        self.deadlines.watch(self.env.now + self.patience, self)

    def _served(self, _):
        if self.ended is None:
            self._end("in time")

    def overdue(self):
        self._end("late")

    def _end(self, how):
        self.token += 1
        self.ended = (how, self.env.now)


def test_who_is_not_served_in_time_hears_of_it_and_others_do_not():
    env = Environment()
    deadlines = Deadlines(env)
    callers = [
        Caller(env, deadlines, begins, takes, patience)
        for begins, takes, patience in (
            (0, 1, 10),
            (2, 50, 10),
            (5, 3, 10),
            (6, 50, 1),
            (100, 11, 10),
        )
    ]
    env.run(until=200)
    assert [caller.ended for caller in callers] == [
        ("in time", 1),
        ("late", 12),
        ("in time", 8),
        ("late", 7),
        ("late", 110),
    ]


def test_a_wait_that_was_served_costs_no_event():
    env = Environment()
    deadlines = Deadlines(env)
    for begins in range(100):
        Caller(env, deadlines, begins, 0.5, 1000)
    env.run()
    assert next(env._eid) < 2 * 100 + 5


def test_pauses_and_simpys_own_events_share_one_heap_in_order():
    env = Environment()
    seen = []

    async def work(name, first, second):
        await pause(env, first)
        seen.append((name, env.now))
        await wait(env.timeout(second))
        seen.append((name, env.now))

    start(work("a", 1, 3))
    start(work("b", 2, 1))
    run_until(env, 4)
    assert seen == [("a", 1), ("b", 2), ("b", 3)]  # what is due at the end has not happened
    assert env.now == 4
    env.run()
    assert seen[-1] == ("a", 4)


def test_what_a_coroutine_returns_goes_to_whoever_started_it():
    env = Environment()
    got = []

    async def work():
        await pause(env, 1)
        return "done"

    start(work(), got.append)
    run_until(env, 2)
    assert got == ["done"]


def test_a_failed_event_that_nobody_waits_for_ends_the_run():
    env = Environment()
    env.event().fail(KeyError("lost"))
    with pytest.raises(KeyError, match="lost"):
        run_until(env, 1)
