"""Which versions are installed, for a report of a problem."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import sklearn

# What data and parameters may come from, and scikit-learn does not list.
PACKAGES = ("polars", "torch")


def show_versions() -> None:
    """Print the versions of Python, of this package and of what it rests on.

    For a report of a problem. Besides the versions it says on which platform Python runs, which
    BLAS library there is, and how many threads it has. Everything except the first part comes from
    scikit-learn.

    See Also
    --------
    sklearn.show_versions : The same without this package.

    Examples
    --------
    >>> import hplasso
    >>> hplasso.show_versions()  # doctest: +SKIP
    """
    package = __name__.partition(".")[0]
    versions = {package: import_module(package).__version__}
    versions |= {name: _version_of(name) for name in PACKAGES}
    print()
    for name, number in versions.items():
        print(f"{name:>13}: {number}")
    sklearn.show_versions()


def _version_of(package: str) -> str | None:
    """The version that is installed, if any, as scikit-learn says it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
