"""The pack's figures: every sign has a glyph, and the numbers are those of the drill."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import pytest
from fake_drill import FAULT, SERVED, interrupted, make_drill
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from reports.drills.evidence import LANGUAGES, Lang, plots
from reports.drills.evidence.dossier import read_dossier
from reports.drills.evidence.words import Words
from reports.fonts import CHINESE, chinese_font


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("with_events", [True, False])
def test_no_sign_lacks_a_glyph(tmp_path: Path, lang: Lang, with_events: bool) -> None:
    if lang == "zh" and chinese_font() is None:
        pytest.skip("no font with Chinese characters is installed")
    dossier = read_dossier(make_drill(tmp_path, with_events=with_events))
    drawn: list[Figure] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plots, "svg", lambda figure, *names: drawn.append(figure) or "")
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # matplotlib warns of a glyph that no font has
            words = Words(lang)
            with plots._paper(words):
                plots.timeline(dossier, words)
                plots.phases(dossier, words)
                for figure in drawn:
                    figure.canvas.draw()
    assert len(drawn) == 2


def test_letters_are_outlines_that_look_the_same_everywhere(tmp_path: Path) -> None:
    dossier = read_dossier(make_drill(tmp_path))
    drawn = plots.timeline(dossier, Words("en"))
    assert "<text" not in drawn
    assert "var(--" not in drawn
    assert 'aria-label="Actions of the drill and service level over time"' in drawn


def test_an_interrupted_drill_can_be_drawn(tmp_path: Path) -> None:
    dossier = read_dossier(make_drill(tmp_path, interrupted()))
    assert "<svg" in plots.timeline(dossier, Words("en"))
    assert "<svg" in plots.phases(dossier, Words("en"))


def test_service_level_is_what_customers_got_in_each_second(tmp_path: Path) -> None:
    service = read_dossier(make_drill(tmp_path)).service
    assert service is not None
    share = service.share
    assert all(value == 1.0 for value in share[:20])
    assert all(value == 0.0 for value in share[21 : int(SERVED)])
    assert share[int(FAULT) + 25] == 1.0
    assert service.answered[10] > 10
    assert sum(service.answered) + sum(service.failed) == 360 * 4
    assert not any(math.isnan(value) for value in share)


def test_a_font_that_was_installed_later_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    if chinese_font() is None:
        pytest.skip("no font with Chinese characters is installed")
    before = [font for font in fontManager.ttflist if "CJK" not in font.name]
    monkeypatch.setattr(fontManager, "ttflist", [f for f in before if f.name not in CHINESE])
    chinese_font.cache_clear()
    assert chinese_font() is not None
