"""`python -m bindrill`."""

import os
import sys

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
if not sys.flags.safe_path and sys.path[0] != _HERE:
    del sys.path[0]  # the present folder, whose mocks/ or random.py would take the place of ours

from bindrill.cli import main  # noqa: E402

main()
