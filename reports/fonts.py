"""Fonts for plots and pages in Chinese: which of the known ones this machine has."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import Any

from matplotlib.font_manager import findSystemFonts, fontManager

CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "PingFang SC",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimHei",
    "Noto Sans CJK JP",
)
"""Families with the characters of GB 2312, the best first."""

LATIN = "DejaVu Sans"
"""Comes with matplotlib."""

NO_CHINESE_FONT = (
    "no font with Chinese characters is installed, so there is no PDF in Chinese and plots rely on "
    "the reader's fonts; run scripts/install-system-packages (Debian: apt-get install "
    "fonts-noto-cjk)"
)


@cache
def chinese_font() -> str | None:
    """The best installed family for Chinese, None when there is none."""
    found = _listed()
    if found is None:
        # matplotlib remembers the fonts that it saw first; this one may have come since.
        known = {font.fname for font in fontManager.ttflist}
        for file in findSystemFonts():
            if file not in known:
                with suppress(OSError, RuntimeError):  # not every font is one it can read
                    fontManager.addfont(file)
        found = _listed()
    return found


def _listed() -> str | None:
    installed = {font.name for font in fontManager.ttflist}
    return next((family for family in CHINESE if family in installed), None)


def lettering(chinese_text: bool) -> dict[Any, Any]:
    """Settings of matplotlib for a figure's letters. Chinese ones are drawn as outlines where a
    font for them is installed, so that they look the same to every reader."""
    chinese = chinese_font() if chinese_text else None
    if chinese is None:
        return {"font.family": [LATIN], "svg.fonttype": "none"}
    return {"font.family": [chinese, LATIN], "svg.fonttype": "path"}
