"""Makes the two sample recordings beside this file: synthetic, from the curves below, by seed.

python docs/samples/make_samples.py
"""

from __future__ import annotations

import csv
import random
from datetime import datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent


def bump(minute: float, start: float, full: float, ease: float, end: float) -> float:
    """0 outside [start, end], 1 in [full, ease], straight between."""
    if minute < full:
        return min(1.0, max(0.0, (minute - start) / (full - start)))
    return min(1.0, max(0.0, (end - minute) / (end - ease)))


def noisy(draw: random.Random, value: float, spread: float) -> float:
    return value * draw.lognormvariate(0.0, spread)


def issuer_slowdown(draw: random.Random) -> list[dict[str, str]]:
    """60 minutes at some 300 customers a minute. From minute 15 a large issuer slows down: within
    5 minutes the bank network's median goes from 120 ms to 700 ms, its p99 from 600 ms to 5 s, and
    4 % of calls fail; from minute 40 to 45 it is well again."""
    rows = []
    for minute in range(60):
        ill = bump(minute, 15, 20, 40, 45)
        rows.append(
            {
                "time": (datetime(2026, 3, 11, 14, 0) + timedelta(minutes=minute)).isoformat(),
                "arrivals": f"{noisy(draw, 300, 0.05):.0f}",
                "bank_p50_ms": f"{noisy(draw, 120 * (700 / 120) ** ill, 0.03):.0f}",
                "bank_p99_ms": f"{noisy(draw, 600 * (5000 / 600) ** ill, 0.06):.0f}",
                "bank_error_share": f"{max(0.0, draw.gauss(0.001 + 0.04 * ill, 0.001)):.4f}",
                "sms_p50_ms": f"{noisy(draw, 30, 0.03):.1f}",
                "sms_p99_ms": f"{noisy(draw, 150, 0.06):.0f}",
                "sms_error_share": f"{max(0.0, draw.gauss(0.002, 0.001)):.4f}",
                "payment_p50_ms": f"{noisy(draw, 150, 0.03):.0f}",
                "payment_p99_ms": f"{noisy(draw, 800, 0.06):.0f}",
                "payment_error_share": f"{max(0.0, draw.gauss(0.001, 0.001)):.4f}",
            }
        )
    return rows


def payday_outage(draw: random.Random) -> list[dict[str, str]]:
    """A pay-day evening, 19:00 to 20:30, in Grafana's words: the campaign at 20:00 brings 480
    customers a minute instead of 240. At 20:05 the bank network fails 60 % of calls for 10
    minutes, with a p99 of 9 s; the SMS gateway slows down under the crowd. Payment was not
    recorded, and the bank's series have a gap of two minutes."""
    rows = []
    for minute in range(90):
        crowd = bump(minute, 55, 62, 75, 89)
        down = bump(minute, 65, 66, 75, 77)
        gap = minute in (30, 31)
        p50, p99 = 110 * (900 / 110) ** down, 550 * (9000 / 550) ** down
        share = min(1.0, max(0.0, draw.gauss(0.002 + 0.6 * down, 0.001 + 0.02 * down)))
        bank = (noisy(draw, p50, 0.03), noisy(draw, p99, 0.06))
        rows.append(
            {
                "Time": str(datetime(2026, 3, 10, 19, 0) + timedelta(minutes=minute)),
                "arrivals": f"{noisy(draw, 240 * (1 + crowd), 0.04):.1f}",
                "Bank P50 ms": "" if gap else f"{bank[0]:.1f} ms",
                "Bank P99 ms": "" if gap else _shown(bank[1]),
                "Bank error share": "NaN" if gap else f"{100 * share:.2f}%",
                "SMS P50 ms": f"{noisy(draw, 30 * (1 + crowd), 0.03):.1f} ms",
                "SMS P99 ms": f"{noisy(draw, 150 * (1 + 2 * crowd), 0.06):.0f} ms",
            }
        )
    return rows


def _shown(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"


def main() -> None:
    """Write both files."""
    for name, rows, quoted in (
        ("issuer-slowdown.csv", issuer_slowdown(random.Random(1)), csv.QUOTE_MINIMAL),
        ("payday-outage.csv", payday_outage(random.Random(2)), csv.QUOTE_ALL),
    ):
        with (HERE / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0], quoting=quoted, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
