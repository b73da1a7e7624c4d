"""A scenario of seconds, and variants of it."""

TINY = """\
name: tiny
duration: 12s
drain: 8s
arrivals: {kind: poisson, rate: 4/s}
journey: {pace: 0.02}
faults:
- {kind: outage, target: bank, start: 6s, duration: 2s}
objectives: [success_rate >= 1%]
"""

VARIANTS = """\
variants:
- name: plain
- name: strict
  title: An objective that cannot be met
  expect: missed
  changes:
    fault.bank.duration: 6s
    objectives: [p95(confirm) < 1ms]
"""
