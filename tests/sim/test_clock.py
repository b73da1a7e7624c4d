from simpy import Environment

from sim.clock import Deadlines, start, wait


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


def test_late_events_get_the_late_value_and_others_keep_theirs():
    env = Environment()
    deadlines = Deadlines(env, 10.0, "late")
    got = {}

    def caller(name, begins, takes):
        yield env.timeout(begins)
        done = env.event()
        deadlines.watch(done)

        def answer():
            yield env.timeout(takes)
            if not done.triggered:
                done.succeed("in time")

        env.process(answer())
        value = yield done
        got[name] = (value, env.now)

    env.process(caller("quick", 0, 1))
    env.process(caller("slow", 2, 50))
    env.process(caller("second", 5, 3))
    env.process(caller("after a pause", 100, 11))
    env.run(until=200)
    assert got == {
        "quick": ("in time", 1),
        "slow": ("late", 12),
        "second": ("in time", 8),
        "after a pause": ("late", 110),
    }
