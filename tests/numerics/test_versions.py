"""What goes into a report of a problem."""

import platform
from importlib.metadata import version

import hplasso
from hplasso._numerics import versions


def test_show_versions(capsys, monkeypatch):
    monkeypatch.setattr(versions, "PACKAGES", ("not-installed",))
    hplasso.show_versions()
    printed = capsys.readouterr().out
    assert f"hplasso: {hplasso.__version__}\n" in printed
    assert "not-installed: None\n" in printed
    assert f"python: {platform.python_version()}" in printed
    assert f"numpy: {version('numpy')}\n" in printed
    assert "num_threads" in printed
