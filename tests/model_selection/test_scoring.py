"""Scores of folds that lack a class, scores that are not numbers, and the end of a grid."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.metrics import (
    brier_score_loss,
    d2_log_loss_score,
    f1_score,
    get_scorer,
    get_scorer_names,
    log_loss,
    make_scorer,
    top_k_accuracy_score,
)
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.preprocessing import scale

from hplasso import (
    CrossValidationDisplay,
    HadamardElasticNetCV,
    HadamardLassoCV,
    HadamardLassoIC,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    HadamardRelaxedCV,
    RegularizationPathDisplay,
)
from hplasso._model_selection.rules import choose

IRIS, SPECIES = load_iris(return_X_y=True)
IRIS = scale(IRIS)
CELLS, MALIGNANT = load_breast_cancer(return_X_y=True)
CELLS = scale(CELLS)[:, :10]
# The test samples of the first fold have no third class.
TEST = np.arange(0, 100, 5)
LACKING = [
    (np.setdiff1d(np.arange(150), TEST), TEST),
    (np.arange(0, 150, 2), np.arange(1, 150, 2)),
]
LABELS = {"labels": [0, 1, 2]}


@pytest.mark.parametrize(
    ("scoring", "metric"),
    [
        ("neg_log_loss", lambda y, p: -log_loss(y, p, **LABELS)),
        (get_scorer("neg_log_loss"), lambda y, p: -log_loss(y, p, **LABELS)),
        (get_scorer("neg_brier_score"), lambda y, p: -brier_score_loss(y, p, **LABELS)),
        ("top_k_accuracy", lambda y, p: top_k_accuracy_score(y, p, k=2, **LABELS)),
        (
            make_scorer(d2_log_loss_score, response_method="predict_proba"),
            lambda y, p: d2_log_loss_score(y, p, **LABELS),
        ),
        (
            make_scorer(top_k_accuracy_score, k=1, response_method="predict_proba"),
            lambda y, p: np.mean(y == p.argmax(axis=1)),
        ),
        (
            make_scorer(f1_score, average="macro", labels=[0, 1]),
            lambda y, p: f1_score(y, p.argmax(axis=1), average="macro", labels=[0, 1]),
        ),
        (lambda model, X, y: model.predict_proba(X)[0, 2], lambda y, p: p[0, 2]),
    ],
)
def test_test_samples_without_a_class(scoring, metric):
    model = HadamardLogisticRegressionCV(Cs=[0.05, 0.5], cv=LACKING, scoring=scoring, tol=1e-12)
    model.fit(IRIS, SPECIES)
    for fold, (train, test) in enumerate(LACKING):
        for column, C in enumerate([0.05, 0.5]):
            single = HadamardLogisticRegression(C, tol=1e-12).fit(IRIS[train], SPECIES[train])
            expected = metric(SPECIES[test], single.predict_proba(IRIS[test]))
            assert_allclose(model.scores_[fold, 0, column], expected, rtol=1e-5)
    expected = metric(SPECIES[TEST], model.predict_proba(IRIS[TEST]))
    assert_allclose(model.score(IRIS[TEST], SPECIES[TEST]), expected)


@pytest.mark.parametrize("name", ["d2_log_loss_score", "d2_brier_score"])
def test_scorers_of_later_versions(name):
    if name not in get_scorer_names():
        pytest.skip("scikit-learn does not have it yet")
    model = HadamardLogisticRegressionCV(Cs=[0.5], cv=LACKING, scoring=name).fit(IRIS, SPECIES)
    assert_allclose(model.scores_, 0.8, atol=0.1)


def test_the_second_of_two_classes_is_the_positive_one():
    names = np.array(["no", "yes"])[(SPECIES == 2).astype(int)]
    model = HadamardLogisticRegressionCV(Cs=[0.5], cv=LACKING, scoring="neg_brier_score")
    model.fit(IRIS, names)
    single = HadamardLogisticRegression(0.5).fit(IRIS[LACKING[0][0]], names[LACKING[0][0]])
    expected = -np.mean(single.predict_proba(IRIS[TEST])[:, 1] ** 2)
    assert_allclose(model.scores_[0, 0, 0], expected, rtol=1e-3)
    numbers = 1 + (SPECIES == 2)
    f1 = HadamardLogisticRegressionCV(Cs=[0.5], cv=LACKING, scoring="f1").fit(IRIS, numbers)
    train, test = LACKING[1]
    found = HadamardLogisticRegression(0.5).fit(IRIS[train], numbers[train]).predict(IRIS[test])
    assert f1.scores_[1, 0, 0] == f1_score(numbers[test], found, pos_label=2)
    macro = HadamardLogisticRegressionCV(Cs=[0.5], scoring="f1_macro").fit(IRIS, names)
    assert 0.9 < macro.scores_.mean() < 1.0


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_metrics_that_are_not_defined_give_nan():
    model = HadamardLogisticRegressionCV(Cs=3, cv=LACKING, scoring="roc_auc_ovr")
    with pytest.warns(UserWarning, match="One or more of the test scores are non-finite"):
        model.fit(IRIS, SPECIES)
    assert np.isnan(model.scores_[0]).all()
    assert (model.scores_[1] >= 0.5).all()
    assert model.Cs_[0] == model.C_ == model.C_1se_


def test_a_metric_is_called_once_a_model_and_told_of_what_it_names():
    calls = []

    def metric(y, predicted, **others):
        calls.append(others)
        return np.mean(y == predicted)

    model = HadamardLogisticRegressionCV(Cs=[0.05, 0.5], cv=LACKING, scoring=make_scorer(metric))
    model.fit(IRIS, SPECIES)
    assert calls == [{}] * 4
    calls.clear()

    def knowing(y, predicted, labels=None):
        calls.append(list(labels))
        return np.mean(y == predicted)

    model.set_params(scoring=make_scorer(knowing)).fit(IRIS, SPECIES)
    assert calls == [[0, 1, 2]] * 4


def undefined(where, value=np.nan):
    """The accuracy, but `value` for models of so many coefficients."""

    def score(model, X, y):
        if where(np.count_nonzero(model.coef_)):
            return value() if callable(value) else value
        return np.mean(model.predict(X) == y)

    return score


FEW = [lambda size: size < 4, lambda size: size > 5, lambda size: 2 < size < 8]


@pytest.mark.parametrize("where", FEW)
def test_nan_ranks_last(where, capsys):
    folds, Cs = StratifiedKFold(4), np.geomspace(0.003, 3.0, 8)
    model = HadamardLogisticRegressionCV(Cs=Cs, cv=folds, scoring=undefined(where), tol=1e-8)
    search = GridSearchCV(
        HadamardLogisticRegression(tol=1e-8),
        {"C": Cs},
        cv=folds,
        scoring=undefined(where),
    )
    with pytest.warns(UserWarning, match="One or more of the test scores are non-finite"):
        model.set_params(verbose=1).fit(CELLS, MALIGNANT)
    lines = capsys.readouterr().err.splitlines()
    assert lines[2] == f"fold 2: best score {np.nanmax(model.scores_[2]):.6g}"
    with pytest.warns(UserWarning, match="One or more of the test scores are non-finite"):
        search.fit(CELLS, MALIGNANT)
    assert_allclose(model.scores_.mean(axis=0)[0], search.cv_results_["mean_test_score"])
    assert 0 < np.isnan(model.scores_.mean(axis=0)).sum() < 8
    assert model.C_ == model.C_min_ == search.best_params_["C"]
    means = model.scores_.mean(axis=0)[0]
    within = means >= np.nanmax(means) - model.scores_se_[0, list(Cs).index(model.C_)]
    assert model.C_1se_ == Cs[within][0]
    averaged = HadamardLogisticRegressionCV(
        Cs=Cs, cv=folds, scoring=undefined(where), tol=1e-8, refit=False
    )
    with pytest.warns(UserWarning, match="non-finite"):
        averaged.fit(CELLS, MALIGNANT)
    best = [np.nanargmax(scores) for scores in averaged.scores_[:, 0]]
    assert pytest.approx(Cs[best].mean()) == averaged.C_


@pytest.mark.parametrize("refit", [True, False])
def test_nothing_but_nan_gives_the_first(refit):
    model = HadamardLogisticRegressionCV(Cs=3, scoring=lambda *args: np.nan, refit=refit)
    with pytest.warns(UserWarning, match="One or more of the test scores are non-finite"):
        model.fit(IRIS, SPECIES)
    assert pytest.approx(model.Cs_[0]) == model.C_


def fail():
    raise ArithmeticError("not today")


def test_errors_of_the_scorer():
    some = undefined(lambda size: size > 5, fail)
    model = HadamardLogisticRegressionCV(Cs=np.geomspace(0.003, 3.0, 8), scoring=some)
    with pytest.warns(UserWarning, match="Scoring failed|non-finite") as caught:
        model.fit(CELLS, MALIGNANT)
    n_failed = np.isnan(model.scores_).sum()
    messages = [str(warning.message) for warning in caught]
    assert messages[0].startswith(f"Scoring failed for {n_failed} of 40 models. Their scores are")
    assert "ArithmeticError: not today" in messages[0]
    assert messages[1].startswith("One or more of the test scores are non-finite: [[")
    assert caught[0].filename == __file__
    assert np.isfinite(model.scores_[:, 0, list(model.Cs_).index(model.C_)]).all()
    every = HadamardLogisticRegressionCV(Cs=3, scoring=undefined(lambda size: True, fail))
    with pytest.raises(ArithmeticError, match="not today"):
        every.fit(IRIS, SPECIES)
    with pytest.raises(ValueError, match="multi_class must be in"):
        HadamardLogisticRegressionCV(Cs=3, scoring="roc_auc").fit(IRIS, SPECIES)


@pytest.mark.parametrize("score", ["best", np.ones(2), None, 1j])
@pytest.mark.parametrize(
    "model",
    [
        HadamardLogisticRegressionCV(Cs=3, cv=2),
        HadamardRelaxedCV(HadamardLogisticRegression(), Cs=3, cv=2),
    ],
)
def test_scores_that_are_no_numbers(model, score):
    model.set_params(scoring=lambda fitted, X, y: score)
    with pytest.raises(ValueError, match=r"scoring must return a number\. Got"):
        model.fit(IRIS, SPECIES)
    model.set_params(scoring=lambda fitted, X, y: np.array([0.5]))
    assert (model.fit(IRIS, SPECIES).scores_ == 0.5).all()


def test_losses_that_are_not_finite():
    losses = np.array([[[np.nan, 3.0, np.inf, 2.0]], [[1.0, 3.0, 5.0, 2.1]]])
    with pytest.warns(UserWarning, match="non-finite: .*nan"):
        choice = choose(losses, [1.0, 1.0])
    assert (choice.row, choice.best, choice.simplest) == (0, 3, 3)
    with pytest.warns(UserWarning, match="non-finite"):
        assert choose(losses[:, :, [0, 2]], [1.0, 1.0]).best == 1
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("ignore", UserWarning)
        assert choose(losses[:, :, [0, 0]], [1.0, 1.0])[:3] == (0, 0, 0)
        assert choose(np.full((2, 1, 3), np.inf), [1.0, 1.0])[:2] == (0, 0)


def test_a_fold_without_a_score_is_drawn():
    with pytest.warns(UserWarning, match="non-finite"):
        model = HadamardLogisticRegressionCV(Cs=8, scoring=undefined(FEW[0])).fit(CELLS, MALIGNANT)
    display = CrossValidationDisplay.from_estimator(model)
    assert_array_equal(np.isnan(display.line_.get_ydata()), np.isnan(model.scores_[:, 0].sum(0)))


DIABETES = load_diabetes(return_X_y=True)
WORDS = {
    "alpha": "the best alpha is the smallest of the grid: "
    "a longer grid (smaller alpha, or a smaller eps) may do better",
    "C": "the best C is the largest of the grid: "
    "a longer grid (larger C, or a smaller eps) may do better",
}


@pytest.mark.parametrize(
    ("model", "data", "longer"),
    [
        (HadamardLassoCV(eps=0.1, alphas=5), DIABETES, {"eps": 1e-3, "alphas": 25}),
        (HadamardLassoCV(alphas=[2.0, 1.0]), DIABETES, {"alphas": [1.0, 0.004, 1e-5]}),
        (
            HadamardElasticNetCV(l1_ratio=[0.5, 1.0], eps=0.1, alphas=5),
            DIABETES,
            {"eps": 1e-3, "alphas": 25},
        ),
        (HadamardLassoIC(eps=0.5, alphas=5), DIABETES, {"eps": 1e-3}),
        (HadamardLogisticRegressionCV(Cs=5, cv=3), (IRIS, SPECIES), {"eps": 1e-4}),
        (HadamardLogisticRegressionCV(Cs=5, cv=3, rule="1se"), (IRIS, SPECIES), {"eps": 1e-4}),
        (HadamardLogisticRegressionCV(Cs=[0.1, 0.2], cv=3), (IRIS, SPECIES), {"Cs": [0.1]}),
    ],
)
def test_the_end_of_the_grid_is_the_best(model, data, longer, capsys):
    name = "C" if hasattr(model, "Cs") else "alpha"

    def title(model):
        if isinstance(model, HadamardLassoIC):
            display = RegularizationPathDisplay.from_estimator(model, *data)
        else:
            display = CrossValidationDisplay.from_estimator(model)
        return display.ax_.get_title(loc="right").replace("\n", " ")

    plt.switch_backend("agg")
    model.set_params(verbose=1).fit(*data)
    grid = np.ravel(getattr(model, f"{name}s_"))
    best = getattr(model, f"{name}_min_", getattr(model, f"{name}_"))
    assert best == (grid.max() if name == "C" else grid.min())
    assert WORDS[name] in capsys.readouterr().err.splitlines()
    assert title(model) == WORDS[name]
    model.set_params(**longer).fit(*data)
    assert "of the grid" not in capsys.readouterr().err
    assert not title(model)
    model.set_params(verbose=0).fit(*data)
    assert not capsys.readouterr().err
    plt.close("all")
