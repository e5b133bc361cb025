"""The displays: what they draw, and on what."""

import sys
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Lasso
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler

import hplasso
from hplasso import (
    CertificateDisplay,
    CrossValidationDisplay,
    HadamardElasticNet,
    HadamardElasticNetCV,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLassoIC,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    HadamardStabilitySelection,
    PathSearchCV,
    RegularizationPathDisplay,
    StabilityDisplay,
    lasso_path,
)

X, y = load_diabetes(return_X_y=True, as_frame=True)
IRIS, SPECIES = load_iris(return_X_y=True)


@pytest.fixture(autouse=True)
def _agg():
    plt.switch_backend("agg")
    yield
    plt.close("all")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_path_of_a_cross_validated_estimator():
    model = HadamardLassoCV().fit(X, y)
    display = RegularizationPathDisplay.from_estimator(model, X, y, n_labels=3)
    assert display.figure_ is display.ax_.figure
    assert_array_equal(display.penalties, model.alphas_)
    column = int(np.flatnonzero(model.alphas_ == model.alpha_)[0])
    assert_allclose(display.coefs[:, column], model.coef_, rtol=1e-6, atol=1e-9)
    assert len(display.line_) == 10
    strongest = X.columns[np.argsort(-np.abs(display.coefs[:, -1]))[:3]]
    assert sorted(texts(display.ax_)) == sorted(strongest)
    labels = display.ax_.get_legend_handles_labels()[1]
    assert labels == [f"min: {model.alpha_min_:.3g}", f"1se: {model.alpha_1se_:.3g}"]
    low, high = display.ax_.get_xlim()
    assert low > high  # the strongest penalty is on the left
    counts = [label.get_text() for label in display.top_ax_.get_xticklabels()]
    assert {"0", "10"} <= set(counts)


def test_path_of_the_chosen_l1_ratio():
    model = HadamardElasticNetCV(l1_ratio=[0.5, 0.9], alphas=10).fit(X, y)
    display = RegularizationPathDisplay.from_estimator(model, X, y)
    assert_array_equal(display.penalties, model.alphas_[[0.5, 0.9].index(model.l1_ratio_)])


@pytest.mark.parametrize(
    ("model", "data", "target"),
    [
        (HadamardLasso(), X, np.ones(442)),
        (HadamardLogisticRegression(), np.ones((150, 4)), SPECIES),
    ],
)
def test_path_where_nothing_enters(model, data, target):
    display = RegularizationPathDisplay.from_estimator(model, data, target)
    assert not display.coefs.any()


def test_path_that_was_computed():
    alphas, coefs, _ = lasso_path(X, y - y.mean(), alphas=20)
    _, ax = plt.subplots()
    display = RegularizationPathDisplay.from_path(alphas, coefs, chosen={"mine": 0.1}, ax=ax)
    assert display.ax_ is ax
    assert_allclose(display.line_[0].get_ydata(), coefs[0])
    assert set(texts(ax)) <= {f"x{feature}" for feature in range(10)}
    other = RegularizationPathDisplay.from_estimator(HadamardLasso(0.1), X, y)
    assert "alpha: 0.1" in other.ax_.get_legend_handles_labels()[1]
    assert not RegularizationPathDisplay.from_path([1.0, 0.5], np.zeros((3, 2))).line_
    with pytest.raises(ValueError, match=r"regressor or classifier of hplasso.*Got Lasso"):
        RegularizationPathDisplay.from_estimator(Lasso(), X, y)
    with pytest.raises(ValueError, match=r"must have shape \(n_features, 20\)"):
        RegularizationPathDisplay.from_path(alphas, coefs.T)


@pytest.mark.parametrize(("penalty_name", "weakest"), [("alpha", 0), ("C", 2)])
def test_labels_stand_where_the_penalty_is_weakest(penalty_name, weakest):
    coefs = np.array([[4.0, 0.0, 1.0], [3.0, 0.1, -2.0], [0.0, 0.2, 3.0], [-2.0, 0.3, 0.5]])
    for order in (np.arange(3), np.arange(3)[::-1]):
        display = RegularizationPathDisplay.from_path(
            np.array([0.1, 1.0, 10.0])[order],
            coefs[:, order],
            penalty_name=penalty_name,
            n_labels=2,
        )
        upper, lower = sorted(display.ax_.texts, key=lambda text: -text.xy[1])
        expected = {0: ["x0", "x1"], 2: ["x2", "x1"]}[weakest]
        assert [upper.get_text(), lower.get_text()] == expected
        for text in (upper, lower):
            feature = int(text.get_text()[1:])
            assert text.get_color() == display.line_[feature].get_color()
            assert text.xy[0] > 1.0  # outside, on the right
            height = display.ax_.transData.transform((1.0, coefs[feature, weakest]))
            assert text.xy[1] == pytest.approx(
                display.ax_.transAxes.inverted().transform(height)[1]
            )


@pytest.mark.parametrize("inches", [2.4, 4.8])
def test_labels_do_not_overlap(inches):
    coefs = np.array([[0.0, 1.0], [0.0, 1.001], [0.0, 1.002], [0.0, 3.0]])
    ax = Figure(figsize=(6.4, inches)).subplots()
    display = RegularizationPathDisplay.from_path([1.0, 0.1], coefs, ax=ax)
    heights = np.array([text.xy[1] for text in display.ax_.texts])
    assert texts(display.ax_) == ["x0", "x1", "x2", "x3"]
    boxes = [text.get_window_extent() for text in display.ax_.texts]
    assert all(upper.y0 >= lower.y1 for lower, upper in pairwise(boxes))
    low, high = display.ax_.get_ylim()
    assert heights[3] == pytest.approx((3.0 - low) / (high - low))
    assert heights[:3].mean() == pytest.approx((1.001 - low) / (high - low))


def test_path_of_logistic_regression_ends_on_the_right_at_the_largest_C():
    data, target = load_breast_cancer(return_X_y=True, as_frame=True)
    model = HadamardLogisticRegression(0.05)
    display = RegularizationPathDisplay.from_estimator(model, data, target, n_labels=3)
    assert display.ax_.get_xlabel() == "C"
    last = display.coefs[:, np.argmax(display.penalties)]
    assert sorted(texts(display.ax_)) == sorted(data.columns[np.argsort(-np.abs(last))[:3]])
    counts = [label.get_text() for label in display.top_ax_.get_xticklabels()]
    assert counts[0] == "0"
    assert counts[-1] == str(np.count_nonzero(last))


@pytest.mark.parametrize("alpha", [1.0, 1e-4])
def test_path_of_a_single_alpha_goes_beyond_it(alpha):
    model = HadamardElasticNet(alpha, l1_ratio=0.5)
    display = RegularizationPathDisplay.from_estimator(model, X, y)
    first, last = display.penalties[[0, -1]]
    assert first == pytest.approx(np.abs(X.T @ (y - y.mean())).max() / len(y) / 0.5)
    assert last == pytest.approx(min(1e-3 * first, 0.5 * alpha))
    assert len(display.penalties) == 100
    middle = HadamardElasticNet(display.penalties[50], l1_ratio=0.5, tol=1e-10).fit(X, y)
    assert_allclose(display.coefs[:, 50], middle.coef_, rtol=1e-3)


@pytest.mark.parametrize("C", [0.5, 50.0])
def test_path_of_a_single_C_goes_beyond_it(C):
    labels = y > 100
    model = HadamardLogisticRegression(C, l1_ratio=0.5)
    display = RegularizationPathDisplay.from_estimator(model, X, labels)
    first, last = display.penalties[[0, -1]]
    assert first == pytest.approx(0.5 / np.abs(X.T @ (labels - labels.mean())).max())
    assert last == pytest.approx(max(first / np.sqrt(1e-3), 2.0 * C))
    assert len(display.penalties) == 100
    middle = HadamardLogisticRegression(display.penalties[50], l1_ratio=0.5, tol=1e-10)
    assert_allclose(display.coefs[:, 50], middle.fit(X, labels).coef_[0], atol=0.02)


def test_what_a_path_is_drawn_with():
    chosen = {"one": 0.5, "two": 0.2, "three": 0.1, "four": 0.05}
    display = RegularizationPathDisplay.from_path([1.0, 0.1, 0.01], np.eye(3), chosen=chosen)
    ax = display.ax_
    assert (ax.get_xscale(), ax.get_xlabel(), ax.get_ylabel()) == ("log", "alpha", "coefficient")
    assert ax.get_xlim() == (1.0, 0.01)
    assert display.top_ax_.get_xlabel() == "non-zero coefficients"
    assert [label.get_text() for label in ax.get_legend().get_texts()] == [
        f"{name}: {value:.3g}" for name, value in chosen.items()
    ]
    marks = [line for line in ax.get_lines() if ": " in str(line.get_label())]
    assert [list(line.get_xdata()) for line in marks] == [[value] * 2 for value in chosen.values()]
    assert [line.get_linestyle() for line in marks] == ["--", ":", "-.", "--"]
    zero = [line for line in ax.get_lines() if list(line.get_ydata()) == [0.0, 0.0]]
    assert len(zero) == 1
    plain = RegularizationPathDisplay.from_path([1.0, 0.1], np.ones((1, 2)), feature_names=["a"])
    assert plain.ax_.get_legend() is None
    assert texts(plain.ax_) == ["a"]
    names = pd.Series(["a", "b"], index=["u", "v"])
    named = RegularizationPathDisplay.from_path([1.0, 0.1], np.eye(2), feature_names=names)
    assert texts(named.ax_) == ["a", "b"]


@pytest.mark.parametrize(
    ("last", "ticks"), [(0.03, ["0.05", "0.1", "0.2", "0.5", "1"]), (1e-3, ["-3", "-2", "-1", "0"])]
)
def test_penalties_have_a_few_short_names(last, ticks):
    display = RegularizationPathDisplay.from_path([1.0, last], np.ones((1, 2)))
    names = [label.get_text() for label in display.ax_.get_xticklabels()]
    low, high = last, 1.0
    shown = [low <= at <= high * (1 + 1e-12) for at in display.ax_.get_xticks()]
    shown = [name for name, inside in zip(names, shown, strict=True) if inside]
    assert [name.split("{")[-1].rstrip("}$") for name in shown] == ticks
    assert not any(label.get_text() for label in display.ax_.get_xticklabels(minor=True))


def test_how_many_labels_and_ticks_there_are_by_default():
    coefs = np.outer(np.arange(1.0, 13.0), [0.0, 1.0])
    display = RegularizationPathDisplay.from_path([1.0, 0.1], coefs)
    assert texts(display.ax_) == [f"x{feature}" for feature in range(4, 12)]
    assert_array_equal(display.top_ax_.get_xticks(), [1.0, 0.1])  # penalties, each of them once
    assert len(texts(display.plot().ax_)) == 8
    display = RegularizationPathDisplay.from_estimator(HadamardLasso(1e-3), X, y)
    assert len(texts(display.ax_)) == 8
    assert len(display.top_ax_.get_xticks()) == 7


def test_path_of_a_pipeline_has_the_names():
    model = make_pipeline(StandardScaler(), HadamardLassoIC()).fit(X, y)
    display = RegularizationPathDisplay.from_estimator(model, X, y)
    assert set(texts(display.ax_)) <= set(X.columns)


def test_path_of_a_pipeline_that_makes_features():
    steps = PolynomialFeatures(2, include_bias=False), StandardScaler()
    model = make_pipeline(*steps, HadamardLassoIC()).fit(X, y)
    display = RegularizationPathDisplay.from_estimator(model, X, y)
    names = model[:-1].get_feature_names_out()
    assert set(texts(display.ax_)) <= set(names)
    assert not set(texts(display.ax_)) <= set(X.columns)
    alone = RegularizationPathDisplay.from_estimator(model[-1], model[:-1].transform(X), y)
    assert_array_equal(display.coefs, alone.coefs)
    only = RegularizationPathDisplay.from_estimator(
        make_pipeline(HadamardLassoIC()).fit(X, y), X, y
    )
    assert set(texts(only.ax_)) <= set(X.columns)


KINDS = load_iris().target_names[SPECIES]


def test_paths_of_classes():
    model = HadamardLogisticRegressionCV(Cs=8).fit(IRIS, KINDS)
    display = RegularizationPathDisplay.from_estimator(model, IRIS, KINDS)
    column = int(np.flatnonzero(model.Cs_ == model.C_)[0])
    assert_allclose(display.coefs[..., column], model.coef_, atol=0.05)
    assert display.ax_.shape == (3,)
    assert [ax.get_title(loc="left").split("\n")[0] for ax in display.ax_] == [
        "class setosa",
        "class versicolor",
        "class virginica",
    ]
    assert len({ax.get_ylim() for ax in display.ax_}) == 1
    colours = {}
    for coefs, ax, lines, top in zip(
        display.coefs, display.ax_, display.line_, display.top_ax_, strict=True
    ):
        low, high = ax.get_xlim()
        assert low < high
        for feature, line in zip(np.flatnonzero(coefs.any(axis=1)), lines, strict=True):
            assert_array_equal(line.get_ydata(), coefs[feature])
            assert line.get_color() == colours.setdefault(feature, line.get_color())
        counts = [label.get_text() for label in top.get_xticklabels()]
        assert counts[-1] == str(np.count_nonzero(coefs[:, -1]))
    assert len(set(colours.values())) == len(colours) == 4
    single = HadamardLogisticRegression(0.5)
    assert RegularizationPathDisplay.from_estimator(single, *load_breast_cancer(return_X_y=True))


def test_path_of_one_of_the_classes():
    model = HadamardLogisticRegression(0.5)
    everything = RegularizationPathDisplay.from_estimator(model, IRIS, KINDS)
    display = RegularizationPathDisplay.from_estimator(model, IRIS, KINDS, target="virginica")
    assert_array_equal(display.coefs, everything.coefs[2])
    assert display.ax_.get_title(loc="left") == "class virginica"
    for labels, words in (
        (np.unique(KINDS, return_inverse=True)[1], r"one of \[0, 1, 2\], or None\. Got 'daisy'"),
        (KINDS, r"one of \[.*'setosa'.*\], or None\. Got 'daisy'"),
        (KINDS == "setosa", r"None, as there is one row\. Got 'daisy'"),
    ):
        with pytest.raises(ValueError, match=f"target must be {words}"):
            RegularizationPathDisplay.from_estimator(model, IRIS, labels, target="daisy")


def test_axes_of_classes():
    coefs = np.arange(24.0).reshape(4, 3, 2) - 7.0
    path = [1.0, 0.1], coefs
    _, axes = plt.subplots(2, 2)
    display = RegularizationPathDisplay.from_path(*path, ax=axes)
    assert_array_equal(display.ax_, axes.ravel())
    assert display.ax_[3].get_title(loc="left") == "class 3"
    figure, (place, other) = plt.subplots(2, 1)
    display = RegularizationPathDisplay.from_path(*path, class_names=list("abcd"), ax=place)
    assert display.figure_ is figure
    assert len(figure.axes) == 2 + 4
    bottom = other.get_position().y1
    assert all(ax.get_position().y0 > bottom for ax in display.ax_)  # in the place of the first
    for ax, words in ((axes[0], "4 Axes.*Got 2"), (figure.add_axes((0, 0, 1, 1)), "a grid of")):
        with pytest.raises(ValueError, match=f"ax must be .*{words}"):
            RegularizationPathDisplay.from_path(*path, ax=ax)
    with pytest.raises(ValueError, match=r"class_names must have 4 names.*Got 1"):
        RegularizationPathDisplay.from_path(*path, class_names=["a"])


def test_cross_validated_errors():
    model = HadamardLassoCV().fit(X, y)
    display = CrossValidationDisplay.from_estimator(model)
    assert_allclose(display.line_.get_ydata(), model.mse_path_.mean(axis=1))
    low = display.band_.get_paths()[0].vertices[:, 1].min()
    assert low == pytest.approx((model.mse_path_.mean(axis=1) - model.mse_se_).min())
    assert display.ax_.get_ylabel() == "mean squared error"
    assert len(display.ax_.get_lines()) == 5 + 1 + 2  # folds, their mean, the rules
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend[:2] == ["mean", "± 1 SE"]
    assert [text.partition(":")[0] for text in legend[2:]] == ["min", "1se"]


def drawn(display):
    """Penalties, means and standard errors, as they are drawn; and the marks."""
    penalties, means = display.line_.get_data()
    vertices = display.band_.get_paths()[0].vertices
    ends = [vertices[vertices[:, 0] == penalty, 1] for penalty in penalties]
    marks = [line.get_xdata()[0] for line in display.ax_.get_lines() if len(line.get_xdata()) == 2]
    return penalties, means, [np.ptp(end) / 2.0 for end in ends], marks[-2:]


@pytest.mark.parametrize("l1_ratio", [[0.1, 0.9, 0.5], [0.5, 0.1, 0.9]])
def test_cross_validated_errors_of_the_chosen_l1_ratio(l1_ratio):
    model = HadamardElasticNetCV(l1_ratio=l1_ratio, alphas=20, rule="1se").fit(X, y)
    assert model.l1_ratio_ == 0.9
    row = l1_ratio.index(0.9)
    penalties, means, errors, marks = drawn(CrossValidationDisplay.from_estimator(model))
    assert_array_equal(penalties, model.alphas_[row])
    assert_allclose(means, model.mse_path_[row].mean(axis=1))
    assert_allclose(errors, model.mse_se_[row])
    assert marks == [model.alpha_min_, model.alpha_1se_]


def test_cross_validated_scores_of_the_chosen_l1_ratio():
    model = HadamardLogisticRegressionCV(Cs=6, l1_ratios=(0.1, 1.0, 0.5)).fit(X, y > 100)
    row = [0.1, 1.0, 0.5].index(model.l1_ratio_)
    penalties, means, errors, marks = drawn(CrossValidationDisplay.from_estimator(model))
    assert row > 0
    assert_array_equal(penalties, model.Cs_)
    assert_allclose(means, -model.scores_[:, row].mean(axis=0))
    assert_allclose(errors, model.scores_se_[row])
    assert marks == [model.C_min_, model.C_1se_]


@pytest.mark.parametrize(
    ("scoring", "name"),
    [("neg_log_loss", "log loss"), (None, "-accuracy"), ("roc_auc_ovr", "-roc auc ovr")],
)
def test_cross_validated_scores(scoring, name):
    model = HadamardLogisticRegressionCV(Cs=4, scoring=scoring).fit(IRIS, SPECIES)
    display = CrossValidationDisplay.from_estimator(model)
    assert_allclose(display.line_.get_ydata(), -model.scores_[:, 0].mean(axis=0))
    assert display.ax_.get_ylabel() == name


def top_counts(display):
    return [int(label.get_text()) for label in display.top_ax_.get_xticklabels()]


def test_numbers_of_coefficients_beside_the_errors():
    model = HadamardLassoCV().fit(X, y)
    display = CrossValidationDisplay.from_estimator(model)
    assert_array_equal(display.n_nonzero, (model.coef_path_ != 0).sum(axis=0))
    display = CrossValidationDisplay.from_estimator(model, X, y)
    path = RegularizationPathDisplay.from_estimator(model, X, y)
    assert top_counts(display) == top_counts(path)
    assert_array_equal(display.n_nonzero, np.count_nonzero(path.coefs, axis=0))
    classes = HadamardLogisticRegressionCV(Cs=5).fit(IRIS, SPECIES)
    display = CrossValidationDisplay.from_estimator(classes)
    assert_array_equal(display.n_nonzero, classes.coef_path_.any(axis=0).sum(axis=0))
    classes.set_params(refit=False).fit(IRIS, SPECIES)
    assert CrossValidationDisplay.from_estimator(classes).top_ax_ is None


def test_cross_validated_errors_of_pipelines():
    steps = PolynomialFeatures(2, include_bias=False), StandardScaler(), HadamardLassoCV(alphas=9)
    model = make_pipeline(*steps).fit(X, y)
    display = CrossValidationDisplay.from_estimator(model)
    assert_array_equal(display.losses, model[-1].mse_path_)
    assert_array_equal(display.n_nonzero, (model[-1].coef_path_ != 0).sum(axis=0))
    grid = {"polynomialfeatures__degree": [1, 2]}  # the penalty is chosen inside
    search = GridSearchCV(make_pipeline(*steps), grid, cv=2).fit(X, y)
    display = CrossValidationDisplay.from_estimator(search)
    assert_array_equal(display.losses, search.best_estimator_[-1].mse_path_)


ALPHAS = np.geomspace(20.0, 0.5, 15)
TWO_STEPS = make_pipeline(PolynomialFeatures(include_bias=False), StandardScaler())
LAST = {"polynomialfeatures__degree": [1, 2], "hadamardlasso__alpha": ALPHAS[::-1]}


def test_pictures_of_a_search():
    model = make_pipeline(*TWO_STEPS, HadamardLasso())
    search = PathSearchCV(model, LAST, cv=3, rule="1se").fit(X, y)
    degree = search.best_params_["polynomialfeatures__degree"]
    results = search.cv_results_
    own = results["param_polynomialfeatures__degree"].data == degree
    display = CrossValidationDisplay.from_estimator(search, X, y)
    penalties, means, _, marks = drawn(display)
    assert_array_equal(penalties, ALPHAS)
    assert_allclose(means, -results["mean_test_score"][own][::-1])
    errors = results["std_test_score"][own][::-1] / np.sqrt(2)
    assert_allclose(display.errors, errors)
    assert marks == [penalties[means.argmin()], search.best_params_["hadamardlasso__alpha"]]
    assert marks[0] < marks[1]
    assert display.ax_.get_ylabel() == f"-score,\npolynomialfeatures__degree={degree}"
    column = int(np.flatnonzero(search.best_params_["hadamardlasso__alpha"] == ALPHAS)[0])
    assert display.n_nonzero[column] == np.count_nonzero(search.best_estimator_[-1].coef_)
    assert CrossValidationDisplay.from_estimator(search).top_ax_ is None
    path = RegularizationPathDisplay.from_estimator(search, X, y)
    assert_allclose(path.coefs[:, column], search.best_estimator_[-1].coef_, atol=0.05)
    assert path.chosen == display.chosen
    assert set(texts(path.ax_)) <= set(search.best_estimator_[:-1].get_feature_names_out())


def test_pictures_of_a_search_inside_a_pipeline():
    search = PathSearchCV(HadamardLogisticRegression(), {"C": [1.0, 0.1, 0.01]}, cv=3)
    model = make_pipeline(StandardScaler(), search).fit(IRIS, SPECIES)
    display = CrossValidationDisplay.from_estimator(model, IRIS, SPECIES)
    assert_array_equal(display.penalties, [0.01, 0.1, 1.0])
    assert display.ax_.get_ylabel() == "-accuracy"
    last = HadamardLogisticRegression().fit(model[0].transform(IRIS), SPECIES).coef_
    assert top_counts(display)[-1] == last.any(axis=0).sum()
    path = RegularizationPathDisplay.from_estimator(model, IRIS, SPECIES, target=2)
    assert_array_equal(path.penalties, display.penalties)


def test_errors_of_a_search_over_other_estimators():
    metrics = {"squared": "neg_mean_squared_error", "r2": "r2"}
    search = GridSearchCV(Lasso(), {"alpha": ALPHAS}, scoring=metrics, refit="r2", cv=3).fit(X, y)
    display = CrossValidationDisplay.from_estimator(search, X, y)
    assert_allclose(display.losses.mean(axis=1), -search.cv_results_["mean_test_r2"])
    assert display.top_ax_ is None
    assert display.ax_.get_ylabel() == "-r2"
    search.set_params(refit=lambda results: 5).fit(X, y)
    display = CrossValidationDisplay.from_estimator(search)  # of the first metric
    assert_allclose(display.losses.mean(axis=1), -search.cv_results_["mean_test_squared"])
    assert display.chosen["refit"] == ALPHAS[5]
    search.set_params(scoring="r2").fit(X, y)
    assert CrossValidationDisplay.from_estimator(search).chosen["refit"] == ALPHAS[5]
    search = clone(search).set_params(scoring=metrics, refit=False).fit(X, y)
    with pytest.raises(ValueError, match=r"whose refit chooses a candidate. Got GridSearchCV"):
        CrossValidationDisplay.from_estimator(search)
    search = GridSearchCV(Lasso(), {"positive": [True, False]}, refit=False).fit(X, y)
    with pytest.raises(ValueError, match="a grid search over alpha or C of its last step"):
        CrossValidationDisplay.from_estimator(search)


def test_candidates_that_are_not_drawn():
    grid = [{"alpha": ALPHAS[:4]}, {}, {"alpha": ALPHAS[:2], "positive": [True]}]
    search = PathSearchCV(HadamardLasso(), grid, cv=3, rule="1se").fit(X, y)
    display = CrossValidationDisplay.from_estimator(search)
    alike = ALPHAS[:4] if "positive" not in search.best_params_ else ALPHAS[:2]
    assert_array_equal(display.penalties, alike)

    def fails(model, X, y):
        return np.nan

    search.set_params(scoring=fails)
    with pytest.warns(UserWarning, match="non-finite"):
        search.fit(X, y)
    with pytest.raises(ValueError, match=r"estimator must have finite scores.*Got PathSearchCV"):
        CrossValidationDisplay.from_estimator(search)
    path = RegularizationPathDisplay.from_estimator(search, X, y)
    assert path.chosen == {"alpha": search.best_params_["alpha"]}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"losses": np.ones((3, 2))}, r"losses must have shape \(2, n_folds\).*Got shape \(3, 2\)"),
        ({"errors": [1.0]}, r"errors must have shape \(2,\)\. Got shape \(1,\)"),
        ({"n_nonzero": [1, 2, 3]}, r"n_nonzero must have shape \(2,\)\. Got shape \(3,\)"),
        ({"penalty_name": "lambda"}, "'penalty_name' parameter of CrossValidationDisplay"),
    ],
)
def test_what_errors_are_drawn_with(given, words):
    drawn = {"penalties": [1, 0.1], "losses": np.ones((2, 2)), "errors": [0, 0], "chosen": {}}
    with pytest.raises(ValueError, match=words):
        CrossValidationDisplay(**(drawn | given)).plot()


def test_a_path_whose_penalties_are_all_zero():
    with pytest.raises(ValueError, match=r"penalties must have a value above zero.*Got \[0\.\]"):
        RegularizationPathDisplay.from_path([0.0], np.ones((2, 1)))


def test_words_are_the_names_of_a_text():
    documents = ["red apple", "green apple", "red car", "green car"] * 3
    fruit = np.tile([1.0, 1.0, 0.0, 0.0], 3)
    model = make_pipeline(TfidfVectorizer(), HadamardLasso(0.01)).fit(documents, fruit)
    display = RegularizationPathDisplay.from_estimator(model, documents, fruit)
    assert set(texts(display.ax_)) <= {"apple", "car", "green", "red"}
    counting = FunctionTransformer(lambda X: [[len(x)] for x in X])
    model = make_pipeline(counting, HadamardLasso(0.01)).fit(documents, fruit)
    assert texts(RegularizationPathDisplay.from_estimator(model, documents, fruit).ax_) == ["x0"]


def test_only_cross_validated_estimators():
    with pytest.raises(ValueError, match="must be cross-validated"):
        CrossValidationDisplay.from_estimator(Lasso().fit(X, y))
    selector = HadamardStabilitySelection(n_resamples=2).fit(X, y)  # its `scores_` are others
    with pytest.raises(ValueError, match=r"cross-validated.*Got HadamardStabilitySelection"):
        CrossValidationDisplay.from_estimator(selector)
    model = HadamardLassoCV(alphas=3).fit(X, y)
    for given in ({"X": X}, {"y": y}):
        with pytest.raises(ValueError, match="X and y must be given both, or neither"):
            CrossValidationDisplay.from_estimator(model, **given)
    with pytest.raises(ValueError, match="sample_weight and offset must be None"):
        CrossValidationDisplay.from_estimator(model, sample_weight=np.ones(len(y)))
    with pytest.raises(NotFittedError):
        CrossValidationDisplay.from_estimator(HadamardLassoCV())
    with pytest.raises(NotFittedError):
        RegularizationPathDisplay.from_estimator(HadamardLassoCV(), X, y)


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (HadamardLasso(0.5, solver="alternating", tol=1e-6), y),
        (HadamardLasso(0.5), y),
        (HadamardLogisticRegression(1.0, tol=1e-8), y > 100),
        (HadamardLogisticRegression(1.0, solver="alternating", max_iter=500), y > 100),
    ],
)
def test_certificates_bound_the_distance(model, target):
    display = CertificateDisplay.from_estimator(model, X, target)
    surrogates, objectives, gaps = display.surrogates, display.objectives, display.gaps
    assert (np.diff(display.sweeps) == 1).all()
    assert (np.diff(objectives) <= 1e-12 * objectives[0]).all()
    assert (surrogates >= objectives).all()
    assert (objectives - gaps <= objectives[-1]).all()  # each gap is a certificate
    assert gaps[-1] < 1e-3 * objectives[0]
    if model.solver == "alternating" and "Lasso" in type(model).__name__:
        assert (surrogates > objectives).any()
    assert display.bound == (objectives - gaps).max()
    least = 1e-16 * max(surrogates.max() - display.bound, gaps.max())
    for line, values in zip(
        display.line_, (surrogates - display.bound, objectives - display.bound, gaps), strict=True
    ):
        assert_array_equal(line.get_xdata(), display.sweeps)
        assert_allclose(line.get_ydata(), np.maximum(values, least))
    assert not hasattr(model, "coef_")


@pytest.mark.parametrize("weights", [None, np.arange(len(y)) % 3])
@pytest.mark.parametrize(
    "model",
    [
        HadamardElasticNet(0.01, l1_ratio=0.7, fit_intercept=False),
        HadamardLassoCV(alphas=5, cv=3),
        HadamardLogisticRegression(30.0, l1_ratio=0.7, class_weight={False: 1.0, True: 2.0}),
    ],
)
def test_certificate_of_the_problem_that_the_estimator_poses(model, weights):
    labels = y > 100
    target = labels if hasattr(model, "C") else y
    model = clone(model).fit(X, target, sample_weight=weights)
    display = CertificateDisplay.from_estimator(model, X, target, sample_weight=weights)
    shares = np.ones(len(y)) if weights is None else weights.astype(float)
    outputs = np.asarray(X @ model.coef_.ravel() + model.intercept_)
    ratio = getattr(model, "l1_ratio", 1.0)
    sizes = ratio * np.abs(model.coef_) + 0.5 * (1.0 - ratio) * model.coef_**2
    if hasattr(model, "C"):
        shares = shares * (1.0 + labels)
        losses, alpha = np.logaddexp(0.0, -np.where(labels, 1, -1) * outputs), 1.0 / model.C
        alpha /= shares.sum()
    else:
        losses, alpha = (
            0.5 * (y - outputs) ** 2,
            getattr(model, "alpha_", getattr(model, "alpha", 0)),
        )
    objective = np.average(losses, weights=shares) + alpha * sizes.sum()
    assert display.objectives[-1] == pytest.approx(objective, rel=1e-4)
    assert display.bound <= objective * (1.0 + 1e-12)
    assert display.ax_.get_xlabel() == "sweeps"
    assert display.ax_.get_yscale() == "log"
    names = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert names == ["g(mu, nu) - bound", "f(theta) - bound", "duality gap"]
    assert "objective" in display.ax_.get_ylabel()


def test_nothing_to_certify():
    with pytest.raises(ValueError, match="All coefficients are zero"):
        CertificateDisplay.from_estimator(HadamardLasso(1e6), X, y)


@pytest.mark.parametrize("name", [name for name in hplasso.__all__ if name.endswith("Display")])
def test_without_matplotlib(monkeypatch, name):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    display = object.__new__(getattr(hplasso, name))
    with pytest.raises(
        ImportError, match=rf"{name} needs matplotlib: pip install 'hplasso\[plot\]"
    ):
        display._axes(None)


def test_a_path_is_drawn_around_no_penalty_as_around_any():
    penalties = [
        RegularizationPathDisplay.from_estimator(HadamardLasso(alpha), X, y).penalties
        for alpha in (0.0, 1.0)
    ]
    assert_allclose(*penalties)


@pytest.mark.parametrize("display", [RegularizationPathDisplay, CertificateDisplay])
def test_pictures_with_an_offset(display):
    """Of least squares it is a part of y."""
    offset, model = 100.0 * np.sin(np.arange(len(y))), HadamardLasso(1.0)
    given = display.from_estimator(model, X, y, offset=offset)
    right = display.from_estimator(model, X, y - offset)
    for name in ("coefs", "gaps"):
        if hasattr(right, name):
            assert_allclose(getattr(given, name), getattr(right, name))


def test_a_certificate_that_is_exact_at_once():
    """A logarithmic axis has no zero."""
    zero = [0.0]
    display = CertificateDisplay(
        sweeps=[1], surrogates=zero, objectives=zero, gaps=zero, bound=0.0
    ).plot()
    assert display.ax_.get_yscale() == "linear"


@pytest.mark.parametrize("by_C", [False, True])
def test_stability(by_C):
    estimator = HadamardLogisticRegression() if by_C else HadamardLasso()
    selector = HadamardStabilitySelection(estimator, n_selected=5, n_resamples=10, random_state=0)
    selector.fit(X, y > 140.0 if by_C else y)
    display = StabilityDisplay.from_estimator(selector, n_labels=2)
    selected = selector.get_support(indices=True)
    assert len(display.line_) == selected.size > 2
    for line, feature in zip(display.line_, selected, strict=True):
        assert_array_equal(line.get_ydata(), selector.selection_probabilities_[feature])
        assert_array_equal(line.get_xdata(), selector.Cs_ if by_C else selector.alphas_)
    assert_allclose(display.threshold_line_.get_ydata(), selector.threshold_)
    assert display.ax_.get_xlabel() == ("C" if by_C else "alpha")
    names = texts(display.ax_)
    assert len(names) == 2
    assert set(names) <= set(selector.get_feature_names_out())
    grey = [line for line in display.ax_.get_lines() if line.get_color() == "0.8"]
    assert len(grey) == (selector.scores_ > 0.0).sum() - selected.size
    selector.scores_[:] = selector.selection_probabilities_[:] = 1.0
    assert len(texts(StabilityDisplay.from_estimator(selector).ax_)) == 8


def test_stability_of_an_array_has_numbers_for_names():
    probabilities = np.array([[0.0, 0.9], [0.0, 0.2], [0.0, 0.0]])
    display = StabilityDisplay(penalties=[2.0, 1.0], probabilities=probabilities, threshold=0.8)
    assert texts(display.plot().ax_) == ["x0"]
    with pytest.raises(ValueError, match="probabilities must have shape"):
        StabilityDisplay(penalties=[1.0], probabilities=probabilities, threshold=0.8).plot()
    with pytest.raises(ValueError, match="'threshold' parameter of StabilityDisplay"):
        StabilityDisplay(penalties=[2.0, 1.0], probabilities=probabilities, threshold=0.4).plot()
    with pytest.raises(ValueError, match=r"must be HadamardStabilitySelection\. Got Lasso"):
        StabilityDisplay.from_estimator(Lasso())
    with pytest.raises(NotFittedError):
        StabilityDisplay.from_estimator(HadamardStabilitySelection())


@pytest.mark.parametrize(
    "display", [RegularizationPathDisplay, CrossValidationDisplay, CertificateDisplay]
)
def test_a_fitted_estimator_knows_its_features(display):
    """Columns in another order, under other names or in another number are no data for it."""
    model = HadamardLassoCV(alphas=5).fit(X, y)
    for other in (X[X.columns[::-1]], X.rename(columns={"age": "years"}), X.iloc[:, :4]):
        with pytest.raises(ValueError, match="feature names should match"):
            display.from_estimator(model, other, y)
    model.fit(X.to_numpy(), y)
    with pytest.raises(ValueError, match="X has 4 features"):
        display.from_estimator(model, X.to_numpy()[:, :4], y)


@pytest.mark.parametrize("display", [RegularizationPathDisplay, CertificateDisplay])
def test_a_search_has_to_be_fitted(display):
    with pytest.raises(NotFittedError):
        display.from_estimator(PathSearchCV(HadamardLasso(), {"alpha": [1.0]}), X, y)


def test_properties_of_lines_by_any_of_their_names():
    model = HadamardLassoCV(alphas=5).fit(X, y)
    path = RegularizationPathDisplay.from_estimator(model, X, y)
    errors = CrossValidationDisplay.from_estimator(model, X, y)
    gaps = CertificateDisplay.from_estimator(model, X, y)
    for display in (path, errors, gaps):
        line = np.ravel(display.plot(Figure().subplots(), lw=3, c="r", ls=":", label="own").line_)[
            0
        ]
        found = line.get_linewidth(), line.get_color(), line.get_linestyle(), line.get_label()
        assert found == (3, "r", ":", "own")
    selector = HadamardStabilitySelection(n_resamples=6, random_state=0, threshold=0.6).fit(X, y)
    display = StabilityDisplay.from_estimator(selector)
    assert display.plot(Figure().subplots(), lw=3).line_[0].get_linewidth() == 3


def test_names_are_no_formulas():
    frame = X.set_axis([f"a$^${j}" for j in range(10)], axis=1)
    display = RegularizationPathDisplay.from_estimator(HadamardLasso(0.5), frame, y, n_labels=3)
    display.figure_.canvas.draw()
    assert "a$^$2" in texts(display.ax_)


def test_a_grid_that_ends_at_zero_and_one_of_a_single_penalty():
    """Labels are beside the ends of lines that are seen, and a single point is seen."""
    model = HadamardLassoCV(alphas=[1.0, 0.1, 0.0]).fit(X, y)
    display = RegularizationPathDisplay.from_estimator(model, X, y, n_labels=1)
    ((label, line),) = [
        (text, line)
        for text in display.ax_.texts
        for line in display.line_
        if line.get_color() == text.get_color()
    ]
    low, high = display.ax_.get_ylim()
    at = list(display.penalties).index(0.1)
    height = (line.get_ydata()[at] - low) / (high - low)
    assert label.xy[1] == pytest.approx(height)
    model.set_params(alphas=[0.1]).fit(X, y)
    for kind in (RegularizationPathDisplay, CrossValidationDisplay):
        line = np.ravel(kind.from_estimator(model, X, y).line_)[0]
        assert line.get_marker() == "o"


def test_errors_without_a_choice():
    display = CrossValidationDisplay(
        penalties=[1.0, 0.1],
        losses=[[1.0], [2.0]],
        errors=[0.1, 0.1],
        chosen=None,
        penalty_name="alpha",
        loss_name="loss",
    )
    assert len(display.plot(Figure().subplots()).ax_.get_legend_handles_labels()[0]) == 2
