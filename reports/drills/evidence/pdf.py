"""A page of HTML as PDF: by WeasyPrint, or by Chromium where WeasyPrint's libraries are missing."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reports.claims import scratch
from scenarios.child_environment import child_environment
from scenarios.whole_file import write_whole

_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_TIMEOUT = 90.0
"""Seconds for Chromium to print; a page takes about three."""

NO_PRINTER = (
    "no PDF: WeasyPrint's libraries (Pango) and Chromium are both missing; run "
    "scripts/install-system-packages (Debian: apt-get install libpangoft2-1.0-0 "
    "libharfbuzz-subset0), or print {page} from a browser"
)


NO_GLYPH = (
    "the PDF has boxes in place of characters that no installed font has ({found}); run "
    "scripts/install-system-packages"
)


class NoPrinter(Exception):
    """Nothing on this machine makes PDF; the message is one line for the user."""


def write_pdf(page: Path, tell: Callable[[str], None]) -> Path:
    """Print `page` to the PDF beside it, whole or not at all. `tell` gets a line when no installed
    font has some of its characters. Raises NoPrinter."""
    target = page.with_suffix(".pdf")
    made = _by_weasyprint(page, tell)
    if made is None:
        made = _by_chromium(page)
    if made is None:
        raise NoPrinter(NO_PRINTER.format(page=page))
    write_whole(target, made)
    return target


def _by_weasyprint(page: Path, tell: Callable[[str], None]) -> bytes | None:
    try:
        from weasyprint import HTML
    except (ImportError, OSError):  # not installed, or its system libraries are not
        return None
    with _unprintable(tell):
        made: bytes = HTML(filename=str(page)).write_pdf()
    return made


@contextmanager
def _unprintable(tell: Callable[[str], None]) -> Iterator[None]:
    """Tell the characters that WeasyPrint, while this lasts, found in no font."""
    found: set[str] = set()

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if ".notdef" in record.getMessage():
                found.update(re.findall(r"U\+[0-9A-F]+", record.getMessage()))

    log, collector = logging.getLogger("weasyprint"), Collector(logging.WARNING)
    propagate, log.propagate = log.propagate, False
    log.addHandler(collector)
    try:
        yield
    finally:
        log.removeHandler(collector)
        log.propagate = propagate
    if found:
        tell(NO_GLYPH.format(found=", ".join(sorted(found))))


def _by_chromium(page: Path) -> bytes | None:
    program = next((found for name in _CHROMIUMS if (found := shutil.which(name))), None)
    if program is None:
        return None
    with scratch() as profile:
        target = profile / "page.pdf"
        command = [
            program,
            "--headless",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--no-pdf-header-footer",
            f"--user-data-dir={profile}",
            f"--print-to-pdf={target}",
            page.resolve().as_uri(),
        ]
        if os.geteuid() == 0:  # Chromium's own sandbox refuses to start for root
            command.insert(1, "--no-sandbox")
        try:
            subprocess.run(
                command,
                env=child_environment(),
                capture_output=True,
                timeout=_TIMEOUT,
                check=True,
            )
            return target.read_bytes()
        except (OSError, subprocess.SubprocessError):
            return None
