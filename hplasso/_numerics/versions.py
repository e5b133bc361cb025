"""Which versions are installed, for a report of a problem."""

from importlib.metadata import PackageNotFoundError, version

import sklearn

# This package, and what it takes data and parameters from that scikit-learn does not list.
PACKAGES = ("hplasso", "polars", "torch")


def show_versions() -> None:
    """Print the versions of Python, of this package and of what it rests on.

    For a report of a problem. Besides the versions it says on which platform Python runs, and with
    how many threads which BLAS library works. All but the first part is scikit-learn's.

    See Also
    --------
    sklearn.show_versions : The same without this package.

    Examples
    --------
    >>> import hplasso
    >>> hplasso.show_versions()  # doctest: +SKIP
    """
    print()
    for name in PACKAGES:
        print(f"{name:>13}: {_version_of(name)}")
    sklearn.show_versions()


def _version_of(package: str) -> str | None:
    """The version that is installed, if any, as scikit-learn says it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
