"""The tracer that fits a loss and a penalty."""

from .._datafit.base import DataTerm
from .._design.multi_output import AnyDesign
from .._design.working_set import WorkingSet
from .._numerics.typing import Float64
from .problem import PathProblem
from .ridge_tracer import RidgeTracer, SupportTracer
from .settings import PathSettings
from .square_root_newton import long_columns
from .stationarity import certifier_for
from .tracer import PathTracer, Tracer


def make_tracer(
    term: DataTerm,
    working_set: WorkingSet,
    design: AnyDesign,
    settings: PathSettings,
    start: Float64 | None = None,
) -> Tracer:
    """The tracer of a loss on a design, for features that are admitted to a working set."""
    term.refresh()  # what it may know is of another working set
    penalty = settings.penalty
    by_support = penalty.positive or not (penalty.weights > 0.0).any()
    if not (penalty.l1 or by_support or working_set.complete):
        working_set = working_set.full
    certifier = certifier_for(penalty.l1 or by_support, term, working_set, design, settings)
    curved = penalty.l1 and not term.quadratic and settings.solver == "auto"
    columns = long_columns(design.column_norms) if curved else None
    problem = PathProblem(term, working_set, design, settings, certifier, columns)
    if penalty.l1:
        return PathTracer(problem, start)
    return SupportTracer(problem, start) if by_support else RidgeTracer(problem, start)
