"""Automatic grids end where the fit is saturated; what that is, is computed from coefficients."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV
from sklearn.metrics import log_loss
from sklearn.preprocessing import scale

from hplasso import (
    CertificateDisplay,
    CrossValidationDisplay,
    HadamardElasticNetCV,
    HadamardLassoCV,
    HadamardLassoIC,
    HadamardLogisticRegressionCV,
    RegularizationPathDisplay,
    enet_path,
    lasso_path,
    logistic_path,
)
from hplasso._model_selection.rules import end_of_grid

X, y = load_diabetes(return_X_y=True)
CELLS, MALIGNANT = load_breast_cancer(return_X_y=True)
CELLS = scale(CELLS)
IRIS, SPECIES = load_iris(return_X_y=True)
RNG = np.random.default_rng(0)
WIDE = RNG.standard_normal((60, 300))
NOISY = WIDE[:, :5].sum(axis=1) + 2.0 * RNG.standard_normal(60)
SIDE = (NOISY > 0).astype(int)
TALL = RNG.standard_normal((500, 8))
LIKELY = (TALL[:, :3].sum(axis=1) + RNG.logistic(size=500) > 0).astype(int)
# Every penalty is solved below this tolerance, so that a path ends just where the rule says.
TIGHT = 1e-10


def dense(array):
    return array.toarray() if sparse.issparse(array) else array


def explained(data, labels, coefs, intercepts):
    """One less the deviance over that of the frequencies, of models of two classes in columns."""
    outputs = data @ coefs + intercepts
    losses = [log_loss(labels, 1.0 / (1.0 + np.exp(-column))) for column in outputs.T]
    return 1.0 - np.array(losses) / log_loss(labels, np.full(len(labels), labels.mean()))


def end_of_logistic(ratios, Cs):
    """The number of points up to the first that is saturated."""
    scale_of_C = np.log(Cs)
    for i, ratio in enumerate(ratios):
        before = np.flatnonzero(scale_of_C <= scale_of_C[i] - 1.0 + 1e-9)
        if ratio > 0.999:
            return i + 1
        if before.size:
            growth = ratio - ratios[before[-1]]
            if growth < 1e-4 * ratio * (scale_of_C[i] - scale_of_C[before[-1]]):
                return i + 1
    return len(ratios)


def end_of_least_squares(data, target, coefs, intercepts=0.0):
    residuals = target[:, None] - data @ coefs - intercepts
    left = (residuals**2).sum(axis=0) / ((target - target.mean()) ** 2).sum()
    ends = (left < 1e-3) & ((coefs != 0).sum(axis=0) >= 0.9 * len(target))
    return int(np.argmax(ends)) + 1 if ends.any() else coefs.shape[1]


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("n_Cs", [40, 130])
@pytest.mark.parametrize(
    ("data", "labels"), [(WIDE, SIDE), (TALL, LIKELY)], ids=["separable", "settled"]
)
def test_logistic_path_ends_where_the_fit_is_saturated(container, n_Cs, data, labels):
    options = {"Cs": n_Cs, "eps": 1e-4}
    full = logistic_path(container(data), labels, **options, tol=TIGHT, early_stop=False)
    assert len(full[0]) == n_Cs
    ratios = explained(data, labels, *full[1:3])
    end = end_of_logistic(ratios, full[0])
    assert 5 < end < n_Cs - 5
    assert (ratios[end - 1] > 0.999) == (data is WIDE)
    short = logistic_path(container(data), labels, **options, tol=TIGHT)
    assert short[1].shape == (data.shape[1], end)
    for one, other in zip(short, full, strict=True):
        assert_allclose(one, other[..., :end], rtol=1e-12, atol=1e-15)
    rough = logistic_path(container(data), labels, **options)
    assert abs(len(rough[0]) - end) <= 4


def test_logistic_path_of_several_classes_ends():
    Cs, coefs, intercepts, gaps = logistic_path(IRIS, SPECIES, eps=1e-6, tol=1e-9)
    assert 50 < len(Cs) < 100
    assert coefs.shape == (3, 4, len(Cs))
    assert intercepts.shape == (3, len(Cs))
    assert gaps.shape == Cs.shape
    n_iters = logistic_path(IRIS, SPECIES, eps=1e-6, tol=1e-9, return_n_iter=True)[-1]
    assert len(n_iters) == len(Cs)


def test_a_change_that_the_tolerance_hides_ends_no_path():
    lengths = [len(logistic_path(TALL, LIKELY, eps=1e-4, tol=tol)[0]) for tol in (2e-4, 1e-4)]
    assert lengths[0] == 100
    assert lengths[1] < 90
    assert len(logistic_path(WIDE, SIDE, eps=1e-4, tol=1e-3)[0]) < 90


def test_what_did_not_converge_ends_no_path():
    options = {"Cs": 20, "eps": 1e-4, "tol": 1e-8}
    with pytest.warns(ConvergenceWarning):
        Cs, *models, gaps = logistic_path(WIDE, SIDE, solver="alternating", max_iter=4, **options)
    assert len(Cs) == 20
    assert gaps[-1] > 1e-8
    assert explained(WIDE, SIDE, *models)[-3] > 0.999
    assert len(logistic_path(WIDE, SIDE, **options)[0]) < 20


def test_paths_whose_penalties_are_given_do_not_end():
    Cs = logistic_path(WIDE, SIDE, Cs=50, eps=1e-4, early_stop=False)[0]
    assert_array_equal(logistic_path(WIDE, SIDE, Cs=Cs)[0], Cs)
    model = HadamardLogisticRegressionCV(Cs=Cs, cv=3).fit(WIDE, SIDE)
    assert_array_equal(model.Cs_, Cs)
    assert model.stopped_early_ is False
    for path in (lasso_path, enet_path):
        alphas, coefs, _ = path(WIDE, NOISY, alphas=100)
        assert len(alphas) == coefs.shape[1] == 100
    model = HadamardLassoCV(alphas=alphas, cv=3).fit(WIDE, NOISY)
    assert_array_equal(model.alphas_, alphas)
    assert model.stopped_early_ is False
    noise = {"noise_variance": 4.0}
    assert HadamardLassoIC(**noise).fit(WIDE, NOISY).alphas_.size == 100


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("container", [np.asarray, sparse.csc_array])
def test_grid_of_the_lasso_ends_where_it_goes_through_the_samples(container, fit_intercept):
    data, target = container(WIDE), NOISY - NOISY.mean()
    common = {"cv": 3, "fit_intercept": fit_intercept}
    full = HadamardLassoCV(**common, tol=TIGHT, early_stop=False).fit(data, target)
    assert full.alphas_.size == 100
    assert not full.stopped_early_
    end = end_of_least_squares(WIDE, target, dense(full.coef_path_), full.intercept_path_)
    assert 50 < end < 90
    short = HadamardLassoCV(**common, tol=TIGHT).fit(data, target)
    assert short.stopped_early_ is True
    assert_array_equal(short.alphas_, full.alphas_[:end])
    assert_allclose(short.mse_path_, full.mse_path_[:end], rtol=1e-12)
    assert_allclose(dense(short.coef_path_), dense(full.coef_path_)[:, :end], atol=1e-9)
    assert short.intercept_path_.shape == short.n_iter_path_.shape == (end,)
    assert (short.alpha_min_, short.alpha_1se_) == (full.alpha_min_, full.alpha_1se_)
    assert_allclose(short.coef_, full.coef_, rtol=1e-9, atol=1e-12)
    rough = HadamardLassoCV(**common).fit(data, target)
    assert 0 <= rough.alphas_.size - end < 6


def test_samples_without_weight_do_not_count():
    alone = HadamardLassoCV(cv=3, tol=TIGHT).fit(WIDE, NOISY)
    weights = np.repeat([1.0, 0.0], 60)
    folds = [(np.flatnonzero(np.arange(60) % 3 != k), np.arange(k, 60, 3)) for k in range(3)]
    both = HadamardLassoCV(cv=folds, tol=TIGHT)
    both.fit(np.vstack([WIDE, WIDE[::-1]]), np.append(NOISY, NOISY), weights)
    assert alone.stopped_early_
    assert_allclose(both.alphas_, alone.alphas_, rtol=1e-12)


def test_features_that_are_left_out_do_not_count():
    weights = np.repeat([1.0, np.inf], [59, 241])  # 59 features, 60 samples
    quiet = WIDE[:, :59].sum(axis=1)
    model = HadamardLassoCV(cv=3, eps=1e-6, penalty_weights=weights).fit(WIDE, quiet)
    coefs = dense(model.coef_path_)
    assert end_of_least_squares(WIDE, quiet, coefs, model.intercept_path_) < 80
    assert model.alphas_.size == 100
    weights[59] = 1.0
    model.fit(WIDE, quiet)
    assert model.alphas_.size < 90


def test_ordinary_data_and_data_without_noise_go_on():
    model, reference = HadamardLassoCV().fit(X, y), LassoCV().fit(X, y)
    assert model.alphas_.size == 100
    assert_allclose(model.alpha_, reference.alpha_, rtol=1e-10)
    assert not HadamardLogisticRegressionCV(Cs=50, cv=3).fit(CELLS, MALIGNANT).stopped_early_
    tall, target = make_regression(100, 60, n_informative=60, random_state=0)
    assert HadamardLassoCV(cv=3).fit(tall, target).alphas_.size == 100
    wide, target = make_regression(60, 600, n_informative=8, noise=5.0, random_state=0)
    model, reference = HadamardLassoCV().fit(wide, target), LassoCV(max_iter=10**5, tol=1e-8)
    assert model.alphas_.size == 100
    assert_allclose(model.alpha_, reference.fit(wide, target).alpha_, rtol=1e-10)


@pytest.mark.parametrize("precompute", ["auto", True])
def test_several_l1_ratios_have_one_number_of_alphas(precompute):
    ratios = [0.9, 0.3, 0.6]
    common = {"l1_ratio": ratios, "cv": 3, "tol": TIGHT, "precompute": precompute}
    full = HadamardElasticNetCV(**common, early_stop=False).fit(WIDE, NOISY)
    ends = []
    for ratio, alphas in zip(ratios, full.alphas_, strict=True):
        path = enet_path(
            WIDE, NOISY, l1_ratio=ratio, alphas=alphas, fit_intercept=True, tol=TIGHT,
            return_intercept=True,
        )  # fmt: skip
        ends.append(end_of_least_squares(WIDE, NOISY, path[1], path[3]))
    assert ends[0] < max(ends) < 100
    model = HadamardElasticNetCV(**common).fit(WIDE, NOISY)
    assert model.stopped_early_
    assert_array_equal(model.alphas_, full.alphas_[:, : max(ends)])
    assert_allclose(model.mse_path_, full.mse_path_[:, : max(ends)], rtol=1e-9)
    assert model.l1_ratio_ == full.l1_ratio_
    assert_allclose(dense(model.coef_path_), dense(full.coef_path_)[:, : max(ends)], atol=1e-9)


@pytest.mark.parametrize("factor", [0.1, 1000.0])
@pytest.mark.parametrize("first", [0, 1, 2])
def test_several_l1_ratios_have_one_grid_of_Cs(factor, first):
    """Where coefficients are large, the smallest l1_ratio ends last; else the largest."""
    data, ratios = factor * WIDE, np.roll([0.1, 0.5, 1.0], -first)
    common = {"l1_ratios": ratios, "Cs": 40, "cv": 2, "tol": 1e-8, "eps": 1e-5}
    common["scoring"] = lambda *args: 0.0  # so that the first l1_ratio is chosen
    full = HadamardLogisticRegressionCV(**common, early_stop=False).fit(data, SIDE)
    ends = {}
    for ratio in (0.1, 1.0):
        path = logistic_path(data, SIDE, Cs=full.Cs_, l1_ratio=ratio, tol=1e-8)
        ends[ratio] = end_of_logistic(explained(data, SIDE, *path[1:3]), full.Cs_)
    assert max(ends, key=ends.get) == (0.1 if factor == 0.1 else 1.0)
    assert abs(ends[0.1] - ends[1.0]) > 2
    model = HadamardLogisticRegressionCV(**common).fit(data, SIDE)
    n_Cs = model.Cs_.size
    assert n_Cs < 40
    assert abs(n_Cs - max(ends.values())) <= 1
    assert model.l1_ratio_ == ratios[0]
    assert model.scores_.shape == (2, 3, n_Cs)
    assert_array_equal(model.Cs_, full.Cs_[:n_Cs])
    assert_allclose(model.coefs_paths_, full.coefs_paths_[:, :, :n_Cs], rtol=1e-6, atol=1e-9)
    sizes = np.abs(dense(full.coef_path_)).max()
    assert_allclose(
        dense(model.coef_path_), dense(full.coef_path_)[:, :n_Cs], rtol=1e-4, atol=1e-4 * sizes
    )


@pytest.mark.parametrize("rule", ["min", "1se"])
def test_points_of_both_rules_are_solved(rule):
    model = HadamardLassoCV(cv=3, tol=1e-3, rule=rule).fit(WIDE, NOISY)
    assert model.stopped_early_
    assert (model.n_iter_path_ == 0).sum() > 20
    for alpha in (model.alpha_min_, model.alpha_1se_):
        found = model.at(alpha)
        assert found.n_iter_ > 0
        exact = lasso_path(WIDE, NOISY, alphas=[alpha], fit_intercept=True, tol=1e-12)[1][:, 0]
        assert_array_equal(found.coef_ != 0, exact != 0)
    assert_array_equal(model.at(model.alpha_).coef_, model.coef_)
    classifier = HadamardLogisticRegressionCV(Cs=60, cv=3, eps=1e-4, tol=1e-3, rule=rule)
    classifier.fit(WIDE, SIDE)
    assert classifier.stopped_early_
    assert (classifier.n_iter_path_ == 0).sum() > 5
    for C in {classifier.C_min_, classifier.C_1se_} - {classifier.Cs_[0]}:
        assert classifier.at(C).n_iter_[0] > 0
    assert_array_equal(classifier.at(classifier.C_).coef_, classifier.coef_)


@pytest.mark.parametrize(
    "model",
    [
        HadamardLassoCV(cv=3),
        HadamardElasticNetCV(cv=3, l1_ratio=[0.3, 0.8]),
        HadamardLogisticRegressionCV(Cs=40, cv=3, eps=1e-4),
    ],
)
def test_threads_make_no_difference(model):
    target = SIDE if hasattr(model, "predict_proba") else NOISY
    model.fit(WIDE, target)
    assert model.stopped_early_
    alone = vars(model).copy()
    model.set_params(n_jobs=2).fit(WIDE, target)
    for name in {"coef_", "coef_path_", "alphas_", "Cs_", "mse_path_", "scores_"} & set(alone):
        assert_allclose(dense(getattr(model, name)), dense(alone[name]), rtol=1e-9, atol=1e-12)


def test_without_refit():
    common = {"Cs": 40, "cv": 3, "eps": 1e-4}
    model = HadamardLogisticRegressionCV(**common).fit(WIDE, SIDE)
    average = HadamardLogisticRegressionCV(**common, refit=False).fit(WIDE, SIDE)
    assert average.stopped_early_
    assert_array_equal(average.Cs_, model.Cs_)
    assert_array_equal(average.scores_, model.scores_)
    assert not hasattr(average, "coef_path_")
    longer = HadamardLogisticRegressionCV(**common, refit=False, early_stop=False)
    assert longer.fit(WIDE, SIDE).Cs_.size == 40


@pytest.mark.parametrize(
    ("model", "n_paths"),
    [
        (HadamardLassoCV(cv=3), 1),
        (HadamardLassoCV(cv=3, alphas=[1.0, 0.5]), 1),
        (HadamardLassoCV(cv=3, early_stop=False), 1),
        (HadamardElasticNetCV(cv=3, l1_ratio=[0.5, 1.0], eps=0.1), 1),  # nothing ends
        (HadamardLogisticRegressionCV(cv=3), 1),
        (HadamardLogisticRegressionCV(cv=3, refit=False), 1),
        (HadamardLogisticRegressionCV(cv=3, refit=False, early_stop=False), 0),
        (HadamardLogisticRegressionCV(cv=3, refit=False, Cs=[0.1, 1.0]), 0),
    ],
)
def test_how_many_paths_on_all_samples(capsys, model, n_paths):
    target = SIDE if hasattr(model, "predict_proba") else NOISY + 5.0 * WIDE[:, 0]
    model.set_params(verbose=2).fit(WIDE, target)
    lines = [line for line in capsys.readouterr().err.splitlines() if "all samples: " in line]
    points = [line for line in lines if re.search(r" sweeps?$", line)]
    grid = model.alphas_ if hasattr(model, "alphas_") else model.Cs_
    n_points = np.shape(grid)[-1]
    if hasattr(model, "l1_ratio"):
        assert model.l1_ratio_ in (0.5, 1.0)
        n_paths += model.l1_ratio_ == 1.0
    solved_again = len(points) - n_paths * n_points
    assert solved_again in ((0, 1) if n_paths else (0,))


def test_what_is_said_of_the_end_of_a_grid(capsys):
    words = "ends where the fit is saturated: early_stop=False makes it longer"
    assert end_of_grid("C", 1.0, [0.5, 1.0], True) == (
        f"the best C is the largest of the grid, which {words}"
    )
    assert "smallest of the grid, which ends" in end_of_grid("alpha", 0.5, [1.0, 0.5], True)
    assert end_of_grid("alpha", 1.0, [1.0, 0.5], True) == ""
    assert end_of_grid("C", 1.0, [0.5, 1.0]).endswith("or a smaller eps) may do better")
    sure = np.column_stack([2.0 * SIDE - 1.0, WIDE[:, :5]])  # the larger C, the better
    model = HadamardLogisticRegressionCV(Cs=40, eps=1e-5, cv=3, verbose=1).fit(sure, SIDE)
    assert model.C_min_ == model.Cs_[-1]
    assert model.stopped_early_
    assert words in capsys.readouterr().err
    plt.switch_backend("agg")
    displays = [
        CrossValidationDisplay.from_estimator(model),
        RegularizationPathDisplay.from_estimator(model, sure, SIDE),
    ]
    for display in displays:
        assert display.stopped_early
        assert words.replace(": ", ":\n") in display.ax_.get_title(loc="right")
        assert_array_equal(display.penalties, model.Cs_)
    assert CertificateDisplay.from_estimator(model, sure, SIDE).line_
    model.set_params(Cs=[0.1, 1.0]).fit(sure, SIDE)
    display = CrossValidationDisplay.from_estimator(model)
    assert "may do better" in display.ax_.get_title(loc="right")
    plt.close("all")


@pytest.mark.parametrize("factor", [1.0, -1.0])
def test_displays_of_shorter_grids(factor):
    plt.switch_backend("agg")
    model = HadamardElasticNetCV(cv=3, l1_ratio=[0.3, 0.9]).fit(factor * WIDE, NOISY)
    n_alphas = model.alphas_.shape[1]
    assert n_alphas < 100
    for display in (
        CrossValidationDisplay.from_estimator(model),
        RegularizationPathDisplay.from_estimator(model, WIDE, NOISY),
    ):
        assert len(display.penalties) == n_alphas
        assert display.stopped_early
    plt.close("all")


@pytest.mark.parametrize(
    "fit",
    [
        lambda value: HadamardLassoCV(early_stop=value).fit(X, y),
        lambda value: HadamardElasticNetCV(early_stop=value).fit(X, y),
        lambda value: HadamardLogisticRegressionCV(early_stop=value).fit(IRIS, SPECIES),
        lambda value: logistic_path(IRIS, SPECIES, early_stop=value),
    ],
)
def test_the_parameter_is_checked(fit):
    with pytest.raises(ValueError, match=r"'early_stop' parameter of .* must be an instance of"):
        fit("yes")
