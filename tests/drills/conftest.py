from __future__ import annotations

import tempfile

import psutil
import pytest


@pytest.fixture
def nothing_stays(tmp_path, monkeypatch):
    """No process, no port, and no folder is left behind."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    processes, ports = _children(), _ports()
    yield
    assert _children() <= processes
    assert _ports() <= ports
    assert list(place.iterdir()) == []


def _children() -> set[int]:
    return {each.pid for each in psutil.Process().children(recursive=True)}


def _ports() -> set[int]:
    listening = psutil.Process().net_connections(kind="tcp")
    return {each.laddr.port for each in listening if each.status == psutil.CONN_LISTEN}
