"""Configuration of the documentation."""

import importlib.util
import sys
from pathlib import Path

import hplasso

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "hplasso"
author = "The hplasso developers"
copyright = "2026, the hplasso developers"
version = release = hplasso.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "formulas",
]
exclude_patterns = ["_build", "package.rst"]  # the latter: what a package index shows
templates_path = ["_templates"]
nitpicky = True
# Links to other projects. A build takes their names from these files, so that it needs no network.
# A name that is not there is a warning.
intersphinx_mapping = {
    "sklearn": ("https://scikit-learn.org/stable/", "_inventories/scikit-learn.txt"),
    "matplotlib": ("https://matplotlib.org/stable/", "_inventories/matplotlib.txt"),
}
autodoc_typehints = "none"
autosummary_generate = True
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
html_math_renderer = "formulas"

# Without PyTorch the pages of hplasso.torch have their text, and its examples are left out.
HAS_TORCH = importlib.util.find_spec("torch") is not None
autodoc_mock_imports = [] if HAS_TORCH else ["torch"]
# Without Dask its example is left out.
HAS_DASK = importlib.util.find_spec("distributed") is not None
if not HAS_TORCH:
    print("PyTorch is not installed: the examples plot_torch_*.py are left out.")
if not HAS_DASK:
    print("Dask is not installed: the example plot_dask.py is left out.")
suppress_warnings = [] if HAS_TORCH and HAS_DASK else ["ref.ref"]  # links to those examples
LEFT_OUT = ["benchmarks", *["plot_torch_"] * (not HAS_TORCH), *["plot_dask"] * (not HAS_DASK)]

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "ignore_pattern": "|".join(LEFT_OUT),
    "subsection_order": ["../examples/tasks", "../examples/method"],
    "within_subsection_order": "gallery.reading_order",
    "doc_module": ("hplasso",),
    "reference_url": {"hplasso": None},
    "backreferences_dir": "generated/backreferences",
    "abort_on_example_error": True,
    "reset_modules": ("matplotlib", "gallery.strict_warnings"),
    "reset_modules_order": "both",
    "download_all_examples": False,
    "write_computation_times": False,
    "min_reported_time": 1,
    "show_signature": False,
}

html_theme = "pydata_sphinx_theme"
html_title = f"hplasso {version}"
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_favicon = "_static/logo.svg"
html_logo = "_static/logo.svg"
html_context = {"default_mode": "auto"}
html_use_index = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_search_summary = False  # browsers do not let a page from the disk read others
# Pages that have no others below or beside them have nothing to list.
PAGES = list(Path(__file__).parent.glob("*.rst"))
html_sidebars = {page.stem: [] for page in PAGES if not page.with_suffix("").is_dir()}
html_theme_options = {
    "logo": {"text": "hplasso"},
    "header_links_before_dropdown": 5,
    "navigation_with_keys": False,
    # Not beside examples, which have the width for their code.
    "secondary_sidebar_items": {"*": ["page-toc"], "generated/*": ["page-toc"]},
    "footer_start": ["copyright"],
    "footer_end": [],
}
