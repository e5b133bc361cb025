"""What estimators ask that take one with a single penalty: a copy of it, its data, penalties."""

from typing import Any

from sklearn.base import clone
from sklearn.utils.validation import validate_data

from .._design.sources import refuse_elsewhere
from .._estimators.group_estimator import GroupEstimator
from .._estimators.group_loss import GroupLossEstimator
from .._estimators.lasso import HadamardLasso
from .._estimators.linear_model import LinearModel
from .._estimators.problem import FitOptions
from .._validation.arrays import GivenGrid, given_alphas, given_Cs
from .._validation.parameters import InvalidParameterError
from .._validation.weights import checked_penalty_weights

# How many penalties a grid has that is not given.
N_PENALTIES = 100


def estimator_of(owner: Any) -> Any:
    """The parameter `estimator`; None is the lasso."""
    return HadamardLasso() if owner.estimator is None else owner.estimator


def checked_estimator(owner: Any) -> Any:
    """A copy of the parameter `estimator`, which is checked."""
    model = estimator_of(owner)
    grouped = isinstance(model, GroupEstimator | GroupLossEstimator)
    single = isinstance(model, LinearModel) and not grouped
    if single and {"alpha", "C"} & set(model.get_params(deep=False)):
        return clone(model)
    raise InvalidParameterError(
        f"The 'estimator' parameter of {type(owner).__name__} must be an estimator of hplasso "
        "with a single penalty, such as HadamardLasso() or HadamardLogisticRegression(), or "
        f"None; none with groups. Got {model!r} instead."
    )


def given_penalties(owner: Any, model: Any, l1_ratio: float) -> GivenGrid:
    """The parameter `alphas` or `Cs`, for an estimator with one of the two."""
    by_C = hasattr(model, "C")
    right, wrong = ("Cs", "alphas") if by_C else ("alphas", "Cs")
    if getattr(owner, wrong) is not None:
        raise ValueError(f"{wrong} must be None for {type(model).__name__}: write {right} instead.")
    if by_C:
        return given_Cs(N_PENALTIES if owner.Cs is None else owner.Cs, [l1_ratio])
    return given_alphas(owner.alphas, [l1_ratio], open_low=True)


def data_of(owner: Any, model: Any, options: FitOptions, X: Any, y: Any, sample_weight: Any) -> Any:
    """The data of the problem of an estimator; the owner learns the names of features."""
    for name, values in {"X": X, "y": y, "sample_weight": sample_weight}.items():
        refuse_elsewhere(name, values)
    X, y = validate_data(owner, X, y, **{**model._accepted, "multi_output": False})
    names = getattr(owner, "feature_names_in_", None)
    penalty = checked_penalty_weights(model.penalty_weights, owner.n_features_in_, names)
    return model._data(X, y, sample_weight, penalty, options)
