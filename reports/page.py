"""HTML pages from the templates beside this file: everything inline, nothing fetched."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.numbers import MISSING, shown, shown_error
from scenarios.printed_text import printed_text


def seen(value: Any) -> Any:
    """What a template is given, with what cannot be seen written out: a title may hold a control
    that turns the page's text around."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printed_text(value, keep="\n\t")
    return value


_TEMPLATES = Environment(
    loader=PackageLoader("reports", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=seen,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["shown"] = shown
_TEMPLATES.filters["shown_error"] = shown_error
_TEMPLATES.globals["MISSING"] = MISSING


def render(template: str, **values: Any) -> str:
    """A page. SVG figures must be `drawing`s; any other text is escaped."""
    return _TEMPLATES.get_template(template).render(**values)


def drawing(svg: str) -> Markup:
    """An SVG of `reports.figure` for a page; its texts are escaped already."""
    return Markup(svg)  # noqa: S704 — made by reports.figure.svg
