"""The server tests' helpers, which these tests use too."""

from __future__ import annotations

import sys
from pathlib import Path

for area in ("server", "live"):
    sys.path.append(str(Path(__file__).parents[1] / area))
