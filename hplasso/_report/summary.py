"""What a fitted model has to say, as the user sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.utils.validation import check_is_fitted

from .._estimators.linear_model import LinearModel
from .._model_selection.fitted_pipeline import FittedPipeline
from .._model_selection.fold_losses import fold_losses
from .._model_selection.relaxed_model import RelaxedModel
from .._model_selection.stability_selection import HadamardStabilitySelection
from .._numerics.error_state import in_own_error_state
from .._validation.arrays import check_samples_given
from .._validation.parameters import REPORT_CONSTRAINTS, InvalidParameterError, check_parameters
from .as_html import facts_as_html, table_as_html
from .as_markdown import escaped, facts_as_markdown, table_as_markdown
from .as_text import facts_as_text, table_as_text
from .coefficients import coefficient_table
from .cross_validation import cross_validation_table
from .facts import Facts, certificate_facts, data_facts, fit_facts, penalty_facts, versions
from .path import Samples, path_table
from .stability import checked_selector, probabilities_of, stability_facts, stability_table
from .table import Table

# What a card says below its table of coefficients, and below that of selection probabilities.
CAUTION = {
    "coefficients": (
        "A coefficient that is not zero is no test of significance. One of zero does not show that "
        "the feature has no effect: features that resemble it may stand in for it."
    ),
    "stability": (
        "A selection probability is no p-value, and not the probability that a feature matters."
    ),
}


class Summary:
    """Tables and facts of a fitted model: for a terminal, a notebook, pandas, or a model card.

    Printed, it is a text; a notebook shows it as HTML; :meth:`to_frame` has its tables in full, and
    :meth:`to_markdown` makes a model card.

    It is recommended to use :meth:`from_estimator` to create a summary.

    Parameters
    ----------
    title : str
        What the model is.
    facts : dict of dict of str
        What is said of the model besides its tables, in sections with a heading each.
    tables : dict
        The tables, by the names that :meth:`to_frame` takes.

    See Also
    --------
    CrossValidationDisplay : The table of cross-validation as a picture.
    RegularizationPathDisplay : That of the path.
    StabilityDisplay : Selection probabilities.

    Notes
    -----
    There are four tables; a model has those that it knows enough for.

    - "coefficients": the coefficients that are not zero, the largest first. Features have the names
      of `feature_names_in_`, or those that the transformers of a pipeline give; without names they
      are x0, x1, ... Of three or more classes each has a column, and a feature is listed if it has
      a coefficient for any of them. With `stability`, the selection probabilities stand beside the
      coefficients.
    - "cross_validation": for each penalty the number of features, the mean of the score over the
      folds, its standard error, and which rule chooses it. A text shows the rows of the two rules,
      as R's ``print(cv.glmnet)`` does. Of several values of `l1_ratio` the table has the one that
      was chosen. Of a search it has a row for each candidate. Searches and relaxed fits do not keep
      numbers of features. Scores whose names begin with ``neg_`` are shown as losses.
    - "path": for each penalty the number of features, what is explained, and the certificate. A
      point that is interpolated between two solutions has the features of both. What is explained
      is R^2 for least squares and D^2, the part of the deviance, for other losses; it
      needs `X` and `y`. Of :class:`HadamardLassoIC` the table has the criterion instead.
    - "stability": the selection probabilities of all features that any resample selects.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from hplasso import HadamardLassoCV, Summary
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = HadamardLassoCV(rule="1se").fit(X, y)
    >>> summary = Summary.from_estimator(model)
    >>> summary.to_frame()["coefficient"].round(1)
    feature
    bmi    511.6
    s5     451.2
    bp     239.9
    s3    -178.0
    sex    -86.5
    s6       3.8
    Name: coefficient, dtype: float64
    """

    def __init__(
        self, *, title: str, facts: Mapping[str, Facts], tables: Mapping[str, Table]
    ) -> None:
        self.title = title
        self.facts = facts
        self.tables = tables

    @classmethod
    @in_own_error_state
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        y: Any = None,
        *,
        sample_weight: Any = None,
        offset: Any = None,
        stability: Any = None,
    ) -> Summary:
        """Read what a fitted model knows of itself.

        Parameters
        ----------
        estimator : fitted estimator
            One of this package, a pipeline that ends with one, or a :class:`PathSearchCV` or
            another search over these.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            The data that the model was fitted to, for the number of samples, and for what is
            explained, along a path as well; fitted models do not know these.
        y : array-like of shape (n_samples,), default=None
            Their targets, or class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            What is added to the linear model of each sample, as in `fit`.
        stability : HadamardStabilitySelection, default=None
            A fitted selector, or a pipeline that ends with one, which has seen features of the same
            names.

        Returns
        -------
        summary : Summary
            The summary.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If the estimator is not one of this package, of `X` and `y` only one is given, or the
            selector does not know the features of the model.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardLasso, Summary
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
        >>> model = HadamardLasso(alpha=0.5).fit(X, y)
        >>> list(Summary.from_estimator(model).tables)
        ['coefficients']
        """
        check_is_fitted(estimator)
        fitted, samples = FittedPipeline.of(estimator), None
        check_samples_given(X, y, sample_weight, offset)
        selection = None if stability is None else checked_selector(stability)
        known = LinearModel | RelaxedModel | HadamardStabilitySelection
        if not isinstance(fitted.last, known):
            raise InvalidParameterError(
                "estimator must be a fitted estimator of hplasso, or a pipeline or search that "
                f"ends with one. Got {type(fitted.last).__name__}."
            )
        if X is not None:
            samples = Samples(fitted.transform(X), y, sample_weight, offset)
        if isinstance(fitted.last, HadamardStabilitySelection):
            return _of_selection(cls, fitted, samples)
        return _of_model(cls, fitted, samples, selection)

    def __repr__(self) -> str:
        facts = {name: value for section in self.facts.values() for name, value in section.items()}
        tables = [table_as_text(table, name) for name, table in self.tables.items()]
        return "\n\n".join([self.title, facts_as_text(facts), *tables])

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        facts = {name: value for section in self.facts.values() for name, value in section.items()}
        tables = [table_as_html(table, name) for name, table in self.tables.items()]
        parts = "".join([facts_as_html(self.title, facts), *tables])
        return f'<div style="overflow-x: auto">{parts}</div>'

    def to_frame(self, table: str | None = None) -> Any:
        """A table in full, as a pandas.DataFrame.

        Parameters
        ----------
        table : {'coefficients', 'cross_validation', 'path', 'stability'}, default=None
            Which one; None is that of the coefficients, or of a selector that of its probabilities.

        Returns
        -------
        frame : pandas.DataFrame
            The table: coefficients and probabilities with the features as index.

        Raises
        ------
        ValueError
            If there is no such table.
        ImportError
            If pandas is not installed.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardLasso, Summary
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
        >>> model = HadamardLasso(alpha=0.5).fit(X, y)
        >>> list(Summary.from_estimator(model).to_frame().index)
        ['bmi', 's5', 'bp', 's3']
        """
        names = list(self.tables)
        if table is None:
            table = names[0]
        if table not in names:
            raise InvalidParameterError(
                f"table must be one of {', '.join(map(repr, names))}, which {self.title} has. "
                f"Got {table!r}."
            )
        return self.tables[table].frame()

    def to_markdown(self, *, n_features: int = 20) -> str:
        """A model card: data, penalty, certificate, features, versions.

        Parameters
        ----------
        n_features : int, default=20
            How many features are listed at most.

        Returns
        -------
        card : str
            The card, as Markdown.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardLasso, Summary
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
        >>> model = HadamardLasso(alpha=0.5).fit(X, y)
        >>> Summary.from_estimator(model).to_markdown().splitlines()[0]
        '# Model card: HadamardLasso'
        """
        check_parameters("to_markdown", {"n_features": n_features}, REPORT_CONSTRAINTS)
        parts = [f"# Model card: {escaped(self.title)}"]
        for heading, facts in self.facts.items():
            parts += [f"## {heading}", facts_as_markdown(facts)]
        parts.append("## Features")
        for name in ("coefficients", "stability"):
            if name in self.tables:
                table = self.tables[name].showing(n_features)
                parts += [table_as_markdown(table), CAUTION[name]]
        scores = self.tables.get("cross_validation")
        if scores is not None:
            parts += ["## Cross-validation", table_as_markdown(scores)]
        parts += ["## Versions", facts_as_markdown(versions())]
        return "\n\n".join(parts) + "\n"


def _of_model(
    kind: Any, fitted: FittedPipeline, samples: Samples | None, selection: FittedPipeline | None
) -> Summary:
    """The summary of a linear model."""
    last, names = fitted.last, fitted.feature_names()
    probabilities = None if selection is None else probabilities_of(names, selection)
    seen = fold_losses(last) or fold_losses(fitted.search)
    tables = {
        "coefficients": coefficient_table(last, names, probabilities),
        "cross_validation": None if seen is None else cross_validation_table(seen),
        "path": path_table(last, samples),
    }
    facts = {
        "Data": data_facts(fitted, samples),
        "Penalty": penalty_facts(fitted),
        "Fit": certificate_facts(last, samples) | fit_facts(last, samples),
    }
    if selection is not None:
        facts["Stability selection"] = stability_facts(selection.last)
        tables["stability"] = stability_table(selection.last, selection.feature_names())
    present = {name: table for name, table in tables.items() if table is not None}
    return kind(title=type(last).__name__, facts=facts, tables=present)


def _of_selection(kind: Any, fitted: FittedPipeline, samples: Samples | None) -> Summary:
    """The summary of a selector."""
    last = fitted.last
    facts = {"Data": data_facts(fitted, samples), "Stability selection": stability_facts(last)}
    tables = {"stability": stability_table(last, fitted.feature_names())}
    return kind(title=type(last).__name__, facts=facts, tables=tables)
