"""The commands of README.md and docs/serve.md, as somebody would type them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from served import Servers

ROOT = Path(__file__).parents[2]

needs_curl = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("bash")), reason="needs curl and bash"
)


def block(document: str, start: str) -> str:
    """The fenced block of `document` that begins with `start`."""
    text = (ROOT / document).read_text(encoding="utf-8")
    found = re.search(
        rf"^```sh[^\n]*\n({re.escape(start)}.*?)^```$", text, re.DOTALL | re.MULTILINE
    )
    assert found is not None
    return found[1]


def run(script: str, servers: Servers, tmp_path: Path) -> list[str]:
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "LENDER": servers.urls["lender"],
        "SMS": servers.urls["sms"],
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line]


@needs_curl
def test_the_curl_session_binds_a_card(serve, tmp_path: Path) -> None:
    servers = serve()
    answers = [json.loads(line) for line in run(block("README.md", "LENDER="), servers, tmp_path)]
    assert answers[2]["documents"] == ["id_card_front", "id_card_back", "bank_card"]
    assert [answer["state"] for answer in answers[3:]] == [
        *("VERIFIED", "AUTHORISED", "ACTIVE", "ACTIVE")
    ]


@needs_curl
def test_the_faults_of_the_document_are_accepted(serve, tmp_path: Path) -> None:
    servers = serve()
    script = block("docs/serve.md", "BANK=").replace("http://127.0.0.1:8081", servers.urls["bank"])
    script = script.replace("curl -s", "echo; curl -s")
    answers = [json.loads(line) for line in run(script, servers, tmp_path)]
    assert [fault["label"] for fault in answers[2]["faults"]] == ["latency-bank", "error-bank"]
    assert answers[3] == {"cleared": 2}
