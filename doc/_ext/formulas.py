"""Formulas as SVG, drawn while the site is built: no script, no web font, no network.

ziamath lays out TeX in pure Python. Its drawings take the colour of the text around them, and
their size: lengths are in em. A glyph is defined where a page first needs it, and referred to after
that.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

import ziamath
from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging

logger = logging.getLogger(__name__)

# Pixels of an em, and how much larger the letters of formulas are: theirs look small beside the
# theme's.
EM, SCALE = 16.0, 1.12
# How far a formula that is wider than a telephone shrinks before it scrolls.
SMALLEST = 0.75
HEAD = re.compile(r'<svg xmlns="[^"]*" width="([\d.]+)" height="([\d.]+)"')
GLYPH = re.compile(r'<symbol id="([^"]+)".*?</symbol>')


def draw(tex: str, is_block: bool, known: set[str]) -> str:
    """The SVG of a formula, without the glyphs that are known on the page; these become more."""
    if "\\" in convert(tex):
        raise ValueError("a command is not known")
    formula = ziamath.Latex(tex, size=EM * SCALE, color="currentColor", inline=not is_block)

    def once(match: re.Match[str]) -> str:
        first = match[1] not in known
        known.add(match[1])
        return match[0] if first else ""

    svg = GLYPH.sub(once, formula.svg())
    width, height = (float(length) / EM for length in HEAD.match(svg).groups())
    style = f"width:{width:.3f}em;"
    if is_block:
        style += f"min-width:{SMALLEST * width:.3f}em"
    else:
        style += f"height:{height:.3f}em;vertical-align:{formula.getyofst() / EM:.3f}em"
    label = escape(" ".join(tex.split()), quote=True)
    head = f'<svg class="formula" role="img" aria-label="{label}" style="{style}"'
    return head + svg[HEAD.match(svg).end() :]


def visit_math(translator: Any, node: nodes.math | nodes.math_block) -> None:
    """Write a formula, in the line or as a block of its own."""
    is_block = isinstance(node, nodes.math_block)
    tex = node.astext()
    if not hasattr(translator, "known_glyphs"):
        translator.known_glyphs = set()
    try:
        drawing = draw(tex, is_block, translator.known_glyphs)
    except Exception as error:  # whatever it is, it is about this formula
        logger.warning("no drawing of %r: %s", tex, error, location=node)
        raise nodes.SkipNode from error
    translator.body.append(f'<div class="formula">{drawing}</div>' if is_block else drawing)
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, Any]:
    """Register the renderer."""
    app.add_html_math_renderer("formulas", (visit_math, None), (visit_math, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
