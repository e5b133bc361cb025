"""Formulas as MathML, which browsers draw by themselves: no script, no font, no network.

docutils translates TeX to MathML; this hands its result to Sphinx.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

logger = logging.getLogger(__name__)


def visit_math(translator: Any, node: nodes.math | nodes.math_block) -> None:
    """Write a formula, in the line or as a block of its own."""
    is_block = isinstance(node, nodes.math_block)
    tex = node.astext()
    try:
        mathml = tex2mathml(tex, as_block=is_block)
    except MathError as error:
        logger.warning("no MathML for %r: %s", tex, error, location=node)
        mathml = translator.encode(tex)
    if is_block:
        mathml = f'<div class="math-block">{mathml}</div>'
    translator.body.append(mathml)
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, Any]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
