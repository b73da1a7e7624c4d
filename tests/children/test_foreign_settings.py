"""A live run from a folder that is full of other tools' settings and modules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from child_scenarios import QUICK

pytestmark = pytest.mark.live

SETTINGS = "tags = smoke\nmaster = true\nusers = 7\nrun-time = 1s\n"


def test_a_team_folder_changes_nothing(tmp_path):
    """Its Locust settings, proxies and modules, under a name that means something to URLs, SQLite,
    Parquet readers and shells."""
    folder = tmp_path / "feature%2Flogin?[1]*#&$(touch x) é\n{0}%s"
    folder.mkdir()
    (folder / "quick.yaml").write_text(QUICK)
    (folder / "mocks").mkdir()
    (folder / "mocks" / "__init__.py").write_text("raise SystemExit('shadow')")
    for name in ("scenarios", "reports", "sim", "random", "locust", "loadtests"):
        (folder / f"{name}.py").write_text("raise SystemExit('shadow')")
    for name in ("locust.conf", ".locust.conf"):
        (folder / name).write_text(SETTINGS)
    (folder / "pyproject.toml").write_text("[tool.locust]\ntags = ['smoke']\nworker = true\n")
    environment = os.environ | {
        "HOME": str(folder),
        "http_proxy": "http://127.0.0.1:9",
        "LOCUST_TAGS": "smoke",
        "LOCUST_MODE_MASTER": "1",
        "LOCUST_USERS": "7",
        "LOCUST_PLUGINS": "nonsense",
        "PGSERVICE": "nonsense",
    }
    out = folder / "runs"
    done = subprocess.run(
        [sys.executable, "-m", "bindrill", "run", "quick.yaml", "--live", "--out", str(out)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = out.iterdir()
    customers = json.loads((run / "live" / "summary.json").read_text())["customers"]
    assert customers["issued"] == customers["planned"] > 0
    assert customers["ended"] > 0
    assert (run / "live" / "lender.db").exists()
    beside = {path.name for path in (*folder.iterdir(), *tmp_path.iterdir())}
    assert "x" not in beside
    assert not {name for name in beside if name.startswith("feature")} - {folder.name}
    assert Path(run / "report.html").exists()
