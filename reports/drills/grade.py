"""Grades of recovery by GB/T 20988-2007, appendix C: what each asks of RTO and RPO.

The standard gives bands: grade 6 RTO "minutes" and RPO 0; grade 5 RTO minutes to 2 days, RPO 0 to
30 minutes; grade 4 RTO hours to 2 days, RPO hours to 1 day; grade 3 RTO 12 hours or more, RPO hours
to 1 day; grade 2 RTO 24 hours or more and grade 1 RTO 2 days or more, both with RPO 1 to 7 days.
Here a measured pair gets the highest grade whose upper bounds it keeps. "Minutes" is read as less
than an hour. The standard also asks for resources, such as a second site, that no measurement
shows: the grade is that of the two times alone.
"""

from __future__ import annotations

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0

_BOUNDS: tuple[tuple[int, float, float], ...] = (
    (6, HOUR, 0.0),
    (5, 2 * DAY, 30 * MINUTE),
    (4, 2 * DAY, DAY),
    (3, float("inf"), DAY),
    (2, 2 * DAY, 7 * DAY),
    (1, float("inf"), 7 * DAY),
)
"""Grade, and the longest RTO and RPO in seconds that it admits."""


def grade_of(rto: float | None, rpo: float) -> int | None:
    """The grade from 1 to 6 of a recovery after `rto` seconds (None: there was none) that lost
    `rpo` seconds of work; None below 1."""
    if rto is None:
        return None
    return next((grade for grade, most, lost in _BOUNDS if rto <= most and rpo <= lost), None)
