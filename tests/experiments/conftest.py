from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """A scenario file with this text."""

    def write(text: str) -> Path:
        file = tmp_path / "tiny.yaml"
        file.write_text(text)
        return file

    return write
