"""The page on troubleshooting has every warning of the package, and its errors are those there are.

Its headings are the messages' beginnings; dots in them stand for what differs from case to case.
"""

import ast
import re
from pathlib import Path

import pytest

import hplasso
from hplasso._model_selection.relaxation import Refit
from hplasso._path.progress import Outcome

PACKAGE = Path(hplasso.__file__).parent
PAGE = (Path(__file__).parent.parent / "doc" / "troubleshooting.rst").read_text(encoding="utf-8")
NODES = [
    node
    for path in PACKAGE.rglob("*.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
]


def squeezed(text):
    """Without white space, so that lines may be broken anywhere."""
    return "".join(text.split())


def headings(section):
    """The headings of a section of the page, as regular expressions."""
    (body,) = re.findall(rf"^{section}\n-+\n(.*?)(?=^[^\n]+\n-+\n)", PAGE, re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^(.+)\n~+$", body, re.MULTILINE)
    return [".*".join(re.escape(squeezed(part)) for part in title.split("...")) for title in titles]


def texts(calls):
    """The first arguments of calls, where these are strings; braces stand for what is put in."""
    found = []
    for call in calls:
        if isinstance(call, ast.Call) and call.args:
            first = call.args[0]
            parts = first.values if isinstance(first, ast.JoinedStr) else [first]
            words = [part.value if isinstance(part, ast.Constant) else "{}" for part in parts]
            found.append(squeezed("".join(map(str, words))))
    return [text for text in found if text != "{}"]


def called(node):
    """The name of what is called, if something is."""
    function = getattr(node, "func", None)
    return getattr(function, "id", getattr(function, "attr", None))


WARNED = texts(node for node in NODES if called(node) == "warn")
RAISED = texts(node.exc for node in NODES if isinstance(node, ast.Raise))


@pytest.mark.parametrize("message", WARNED)
def test_every_warning_has_a_heading(message):
    assert any(re.match(heading, message) for heading in headings("Warnings"))


@pytest.mark.parametrize(("section", "messages"), [("Warnings", WARNED), ("Errors", RAISED)])
def test_every_heading_is_a_message(section, messages):
    found = headings(section)
    assert len(found) >= 7
    assert [each for each in found if not any(re.match(each, text) for text in messages)] == []


def test_every_reason_is_explained():
    reasons = [re.split("[.,:;]", reason.value)[0] for reason in [*Outcome, *Refit] if reason.value]
    assert len(reasons) == 6
    assert [reason for reason in reasons if squeezed(f"*{reason}") not in squeezed(PAGE)] == []
