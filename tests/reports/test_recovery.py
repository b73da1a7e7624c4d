from __future__ import annotations

from reports.recovery import first_good_window


def test_recovery_needs_windows_in_a_row() -> None:
    windows = [(0, 20, 0), (1, 20, 20), (2, 20, 3), (3, 20, 19), (4, 20, 20), (5, 20, 19)]
    assert first_good_window(windows, 1.0) == 3


def test_windows_without_requests_prove_nothing_either_way() -> None:
    assert first_good_window([(0, 9, 0), (4, 9, 9), (7, 9, 9), (9, 9, 9)], 1.0) == 4


def test_the_level_before_is_the_measure() -> None:
    assert first_good_window([(n, 100, 90) for n in range(3)], 1.0) is None
    assert first_good_window([(n, 100, 90) for n in range(3)], 0.9) == 0


def test_two_good_windows_are_not_enough() -> None:
    assert first_good_window([(0, 5, 5), (1, 5, 5)], 1.0) is None
