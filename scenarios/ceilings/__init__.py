"""What the test's own processes can reach at most, and whether a run met it.

Every process raises its soft limits (`soft_limits`), looks at itself once a second (`watch`), and
writes its readings down. The ceilings, one a file, are pure functions of these readings; `judge`
lists them.
"""
