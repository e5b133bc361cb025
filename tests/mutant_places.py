"""What can be changed in the package to make a mutant of it, room by room (`mutants.py`)."""

from __future__ import annotations

import ast
import difflib
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import parso
from cosmic_ray.ast import ast_nodes
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator

PACKAGE = Path(__file__).resolve().parent.parent / "hplasso"
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
OPERATORS = """
NumberReplacer ReplaceTrueWithFalse ReplaceFalseWithTrue ReplaceAndWithOr ReplaceOrWithAnd AddNot
ReplaceBreakWithContinue ReplaceContinueWithBreak ZeroIterationForLoop ExceptionReplacer
ReplaceUnaryOperator_Delete_USub ReplaceUnaryOperator_Delete_Not
ReplaceBinaryOperator_Add_Sub ReplaceBinaryOperator_Sub_Add ReplaceBinaryOperator_Mul_Div
ReplaceBinaryOperator_Div_Mul ReplaceBinaryOperator_FloorDiv_Mul ReplaceBinaryOperator_Mod_Add
ReplaceBinaryOperator_Pow_Mul ReplaceBinaryOperator_BitOr_BitAnd
ReplaceBinaryOperator_BitAnd_BitOr
ReplaceComparisonOperator_Lt_LtE ReplaceComparisonOperator_LtE_Lt ReplaceComparisonOperator_Gt_GtE
ReplaceComparisonOperator_GtE_Gt ReplaceComparisonOperator_Lt_GtE ReplaceComparisonOperator_LtE_Gt
ReplaceComparisonOperator_Gt_LtE ReplaceComparisonOperator_GtE_Lt ReplaceComparisonOperator_Eq_NotEq
ReplaceComparisonOperator_NotEq_Eq ReplaceComparisonOperator_Is_IsNot
ReplaceComparisonOperator_IsNot_Is
"""
BOUNDARIES = {"Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt"}
# What a count, or a zero, looks like in a comparison.
COUNTS = re.compile(r"\bsize\b|\bndim\b|\blen\(|\bshape\b|\bn_\w+|\b0\.0\b|(?<![\w.-])\d+(?![\w.])")
ARITHMETIC = {"arith_expr", "term", "power", "expr", "and_expr"}
LOOKS = {"linewidth", "zorder", "alpha", "color", "fontsize", "strict"}
LOOKS |= {"check_finite", "clean", "overwrite_a", "overwrite_b"}
LARGE = 100


class Place(NamedTuple):
    """Where something can be changed, and how; the name tells it from all others."""

    room: str
    file: str
    operator: str
    occurrence: int
    line: int
    name: str

    def rank(self, seed: int) -> str:
        """What the sample is ordered by."""
        return hashlib.sha256(f"{seed} {self.name}".encode()).hexdigest()


class LeaveOut(Operator):
    """Leaves out a call, or an assignment to a part of what there is already."""

    def mutation_positions(self, node):
        if node.type == "simple_stmt" and self._counts(node.children[0]):
            yield node.start_pos, node.end_pos

    def _counts(self, statement):
        if statement.type == "atom_expr":
            return statement.children[-1].type == "trailer"
        if statement.type != "expr_stmt" or statement.children[1].type == "annassign":
            return False
        target, sign = statement.children[:2]
        if sign.type != "operator":
            return True  # += and its like
        function = statement.search_ancestor("funcdef")
        begins = function is not None and function.name.value == "__init__"
        return target.type == "atom_expr" and (not begins or "[" in target.get_code())

    def mutate(self, node, index):
        prefix = node.get_first_leaf().prefix
        node.children[0] = parso.python.tree.Name("pass", node.start_pos, prefix)
        return node

    @classmethod
    def examples(cls):
        return ()


@cache
def operators() -> dict[str, Operator]:
    found = {name: get_operator(f"core/{name}")() for name in OPERATORS.split()}
    return found | {"LeaveOut": LeaveOut()}


@cache
def text_of(file: str) -> str:
    return (PACKAGE / file).read_text(encoding="utf-8")


@cache
def tree_of(file: str) -> ast.Module:
    return ast.parse(text_of(file))


def all_files() -> list[str]:
    return [path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")]


def files_of(room: str) -> list[str]:
    return sorted(f"{room}/{path.name}" for path in (PACKAGE / room).glob("*.py"))


def matches(file: str, patterns: list[str]) -> bool:
    """Whether the name of a file is like one of some patterns, its folder and suffix set aside."""
    return any(fnmatch(PurePath(file).stem, pattern) for pattern in patterns)


def sample(rooms: list[str], per_room: int, seed: int, patterns: list[str]) -> list[Place]:
    """The same number of places of each room, in an order that only seed and places decide."""
    chosen = []
    for room in rooms:
        files = [file for file in files_of(room) if matches(file, patterns)]
        places = [place for file in files for place in places_in(room, file)]
        chosen += sorted(places, key=lambda place: place.rank(seed))[:per_room]
    return sorted(chosen, key=lambda place: place.rank(seed))


def places_in(room: str, file: str) -> Iterator[Place]:
    """All that can be changed in a file."""
    lines, names = text_of(file).splitlines(), functions(tree_of(file))
    without, seen = skipped(tree_of(file)), Counter()
    nodes = list(ast_nodes(parso.parse(text_of(file))))
    for operator, kind in operators().items():
        occurrence = -1
        for node in nodes:
            for index, (start, _) in enumerate(kind.mutation_positions(node)):
                occurrence += 1
                if any(first <= start < last for first, last in without):
                    continue
                if senseless(operator, node):
                    continue
                line = lines[start[0] - 1]
                where = f"{names.get(start[0], '')} {line.strip()} {len(line) - start[1]}"
                label = f"{file} {where} {operator} {index}"
                seen[label] += 1  # the same line may come again
                yield Place(room, file, operator, occurrence, start[0], f"{label} {seen[label]}")


def skipped(tree: ast.Module) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """The parts of a file that are not changed."""
    parts: list[Any] = []
    for node in ast.walk(tree):
        parts += getattr(node, "decorator_list", [])
        parts += [getattr(node, name, None) for name in ("annotation", "returns")]
        if isinstance(node, ast.Raise | ast.JoinedStr | ast.Assert):
            parts.append(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"warn", "warnings.warn"}:
            parts.append(node.args[0])
        elif isinstance(node, ast.keyword) and node.arg in LOOKS:
            parts.append(node)
    return [
        ((part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset))
        for part in parts
        if part is not None
    ]


def senseless(operator: str, node: Any) -> bool:
    """Whether a change says nothing, or is not one of what the operator is for."""
    if operator == "NumberReplacer":
        indexed = node.search_ancestor("atom_expr")
        only = indexed is not None and indexed.get_code().endswith(".nonzero()[0]")
        large = abs(ast.literal_eval(node.value)) >= LARGE
        return large or (only and node.parent.type == "trailer")
    if operator.startswith("ReplaceBinary"):  # and not a star, or two, of arguments
        return node.parent.type not in ARITHMETIC
    if operator.partition("_")[2] in BOUNDARIES:
        return not COUNTS.search(re.sub(r"\[[^]]*\]", "", node.get_code()))
    return False


def functions(tree: ast.AST, outer: str = "") -> dict[int, str]:
    """The function that each line is in, by its qualified name; of its body alone."""
    found = {}
    for node in ast.iter_child_nodes(tree):
        name = f"{outer}.{node.name}" if hasattr(node, "name") and hasattr(node, "body") else outer
        if isinstance(node, ast.FunctionDef):
            found |= dict.fromkeys(range(node.body[0].lineno, node.end_lineno + 1), name)
        found |= functions(node, name)
    return found


def mutated(place: Place) -> tuple[str, dict[str, Any]]:
    """The text of the file with the change, and what it changes: which of the lines that are so."""
    text = text_of(place.file)
    changed = mutate_code(text, operators()[place.operator], place.occurrence)
    difference = list(difflib.ndiff(text.splitlines(), changed.splitlines()))
    old, new = (
        " ".join(line[2:].strip() for line in difference if line.startswith(sign)) for sign in "-+"
    )
    lines = [line.strip() for line in text.splitlines()]
    nth = lines[: place.line].count(lines[place.line - 1])
    return changed, {"file": place.file, "old": old, "new": new, "nth": nth}


def executed(place: Place) -> tuple[bool, dict[str, set[int]]]:
    """Whether a place is in a function, and the lines of each file that execute what is changed.

    Of a statement in a function, its own; of one that an import runs, those that use what it
    defines, and its own, as there may be a lambda in it.
    """
    inside, names = place.line in functions(tree_of(place.file)), set()
    inner = innermost(place)
    body = getattr(inner, "body", None)
    last = body[0].lineno - 1 if isinstance(body, list) else inner.end_lineno
    own = {place.file: set(range(inner.lineno, max(last, inner.lineno) + 1))}
    if inside:
        return True, own
    new = defined(inner)
    while new:
        names |= new
        tops = [node for file in all_files() for node in tree_of(file).body]
        users = [node for node in tops if isinstance(node, ast.Assign | ast.AnnAssign)]
        new = {name for node in users if used(node) & names for name in defined(node)} - names
    found = {file: uses(names, tree_of(file)) for file in all_files()}
    found[place.file] |= own[place.file]
    return False, found


def innermost(place: Place) -> Any:
    """The innermost statement that a place is in."""
    found: Any = None
    for node in ast.walk(tree_of(place.file)):  # by depth
        if isinstance(node, ast.stmt) and node.lineno <= place.line <= node.end_lineno:
            found = node
    return found


def used(node: ast.AST) -> set[str]:
    """All names in a part of a tree, those of attributes, too."""
    parts = list(ast.walk(node))
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    return names | {part.attr for part in parts if isinstance(part, ast.Attribute)}


def defined(statement: Any) -> set[str]:
    """The names that a statement defines."""
    if hasattr(statement, "name"):
        return {statement.name}
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    return {name for target in targets if target is not None for name in used(target)}


def uses(names: set[str], tree: ast.Module) -> set[int]:
    """The lines of functions that use one of some names, or are in a function of that name."""
    inside = functions(tree)
    lines = {line for line, function in inside.items() if names & set(function.split("."))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and node.lineno in inside:
            name = node.id if isinstance(node, ast.Name) else node.attr
            lines |= {node.lineno} if name in names else set()
    return lines
