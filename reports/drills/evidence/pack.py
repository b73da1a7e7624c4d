"""Writes the evidence folder of a drill."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reports.drills.evidence.checksums import checksum_lines, file_checksums
from reports.drills.evidence.dossier import read_dossier
from reports.drills.evidence.listings import (
    commands_txt,
    findings_csv,
    repairs_csv,
    timeline_csv,
    versions_txt,
)
from reports.drills.evidence.page import evidence_page
from reports.drills.evidence.pdf import NoPrinter, write_pdf
from reports.drills.evidence.words import Lang, Words
from reports.fonts import NO_CHINESE_FONT, chinese_font
from scenarios.whole_file import write_whole

FOLDER = "evidence"
CHECKSUMS = "checksums.sha256"


def write_evidence(
    run_folder: Path,
    *,
    lang: Lang,
    pdf: bool = True,
    tell: Callable[[str], None] = lambda line: None,
) -> Path:
    """Make the evidence of a drill's run and return its folder, `run_folder/evidence`.

    Files are replaced one by one, each whole or not at all; a report in another language stays and
    is in the checksums too. The same run gives the same bytes. `tell` gets a line for each thing
    that had to be left out. Raises RunProblem when there is no readable `drill.json`.
    """
    dossier, words = read_dossier(run_folder), Words(lang)
    folder = run_folder / FOLDER
    folder.mkdir(exist_ok=True)
    texts = {
        "timeline.csv": timeline_csv(dossier),
        "findings.csv": findings_csv(dossier.result.proof),
        "repairs.csv": repairs_csv(dossier.result.reconciliation),
        "commands.txt": commands_txt(dossier),
        "versions.txt": versions_txt(dossier),
    }
    for name, text in texts.items():
        write_whole(folder / name, text.encode())

    checksums = file_checksums(run_folder, dossier.result.logs)
    page = folder / f"report.{lang}.html"
    write_whole(page, evidence_page(dossier, checksums, words).encode())
    printed = page.with_suffix(".pdf")
    printed.unlink(missing_ok=True)  # one of before would not be of this page
    if lang == "zh" and chinese_font() is None:
        tell(NO_CHINESE_FONT)
    elif pdf:
        try:
            write_pdf(page, tell)
        except NoPrinter as problem:
            tell(str(problem))

    own = [path for path in folder.iterdir() if path.name != CHECKSUMS and path.is_file()]
    lines = checksum_lines(checksums, folder, run_folder, own)
    write_whole(folder / CHECKSUMS, lines.encode())
    return folder
