"""Configuration of the documentation."""

import hplasso

project = "hplasso"
author = "The hplasso developers"
copyright = "2026, the hplasso developers"
version = release = hplasso.__version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax", "numpydoc"]
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"
html_show_sourcelink = False
nitpicky = True
numpydoc_class_members_toctree = False
numpydoc_show_class_members = False
nitpick_ignore_regex = [("py:.*", r"(sklearn|matplotlib)\..*")]
autodoc_typehints = "none"
