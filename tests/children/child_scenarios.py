"""A scenario of a few seconds, as text."""

QUICK = """\
name: quick
duration: 3s
drain: 8s
arrivals: {kind: constant, rate: 2/s}
journey: {pace: 0.01, come_back: 0}
world:
  sms: {limits: {minute: 10}, carrier: {delay: 100ms, loss: 0}}
objectives: ['success_rate >= 50%']
"""
LONG = QUICK.replace("duration: 3s", "duration: 5m")
