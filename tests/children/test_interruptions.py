"""SIGTERM and SIGHUP are Ctrl-C, and a second one does not break the tidying after the first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from scenarios import interruption
from scenarios.interruption import ENDINGS, as_interrupts, heeded, undisturbed


@pytest.mark.parametrize("number", ENDINGS)
def test_every_ending_interrupts(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), as_interrupts():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("second", ENDINGS)
def test_the_second_ending_does_not_break_the_tidying(second):
    tidied = False
    with as_interrupts():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), second)
        tidied = True
    assert tidied


def test_an_ending_that_was_lost_can_be_repeated(monkeypatch):
    monkeypatch.setattr(interruption, "PATIENCE", 0.0)
    with as_interrupts():
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("number", ENDINGS)
def test_what_must_not_be_interrupted_is_not(number):
    done = False
    with as_interrupts(), undisturbed():
        os.kill(os.getpid(), number)
        done = True
    assert done


def test_processes_that_are_started_undisturbed_hear_their_endings():
    with undisturbed():
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    child.terminate()
    assert child.wait(60) == -signal.SIGTERM


def test_nohup_is_heeded():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert signal.SIGHUP not in heeded()
        with as_interrupts():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_ending_before_any_command_is_one_line(bindrill, monkeypatch):
    def interrupted() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("bindrill.cli.app", interrupted)
    outcome = bindrill("list")
    assert (outcome.code, outcome.err) == (130, "bindrill: interrupted\n")
