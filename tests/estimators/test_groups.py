"""The group lasso and the multi-task lasso, as users see them."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from scipy.optimize import nnls
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LinearRegression, MultiTaskLasso
from sklearn.utils.estimator_checks import parametrize_with_checks

from hplasso import (
    Batches,
    HadamardGammaRegressor,
    HadamardGroupLasso,
    HadamardGroupPoissonRegressor,
    HadamardLasso,
    HadamardMultiTaskLasso,
    HadamardMultiTaskLassoCV,
    HadamardPoissonRegressor,
    HadamardRelaxed,
    HadamardStabilitySelection,
    Summary,
    group_path,
    lasso_path,
)

sys.path.insert(0, str(Path(__file__).parent.parent))
import random_group_problems
from random_group_problems import GroupCase, worth

rng = np.random.default_rng(0)
GROUPS = np.repeat(np.arange(8), [1, 2, 3, 4, 5, 5, 6, 4])
X = rng.standard_normal((60, GROUPS.size))
Y = X[:, :3] @ rng.standard_normal((3, 2)) + X[:, 20:26] @ rng.standard_normal((6, 2))
Y += 0.5 * rng.standard_normal(Y.shape)
y = Y[:, 0]
ROOT = np.sqrt(np.bincount(GROUPS))
GROUP_SIZES = np.unique(GROUPS, return_counts=True)


@parametrize_with_checks([HadamardGroupLasso(0.1), HadamardMultiTaskLasso(0.1)])
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


def fit(alpha=0.2, X=X, y=y, tol=1e-12, groups=GROUPS, sample_weight=None, **options):
    model = HadamardGroupLasso(alpha, groups=groups, tol=tol, **options)
    return model.fit(X, y, sample_weight=sample_weight)


@pytest.mark.parametrize("first", [0, 100, 200])
def test_random_problems(first):
    found = [random_group_problems.faults(number) for number in range(first, first + 40)]
    wrong = [line for lines, _ in found for line in lines]
    assert not wrong, "\n".join(wrong)
    assert not any(warned for _, warned in found)


@pytest.mark.parametrize("alpha", [0.5, 0.1, 0.01])
def test_groups_of_one_are_the_lasso(alpha):
    one = HadamardLasso(alpha, tol=1e-12).fit(X, y)
    other = HadamardGroupLasso(alpha, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(other.coef_, one.coef_, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(other.coef_ != 0, one.coef_ != 0)
    assert other.intercept_ == pytest.approx(one.intercept_, rel=1e-10)


@pytest.mark.parametrize("alpha", [0.5, 0.1, 0.01])
def test_non_negative_groups_of_one_are_the_non_negative_lasso(alpha):
    one = HadamardLasso(alpha, tol=1e-12, positive=True).fit(X, y)
    other = HadamardGroupLasso(alpha, tol=1e-12, positive=True).fit(X, y)
    np.testing.assert_allclose(other.coef_, one.coef_, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(other.coef_ != 0, one.coef_ != 0)


def test_non_negative_groups():
    model = fit(0.05, positive=True)
    assert (model.coef_ >= 0.0).all()
    assert (fit(0.05).coef_ < 0.0).any()
    z = X.T @ (y - model.predict(X)) / len(y)
    limits = 0.05 * ROOT
    for g, limit in enumerate(limits):
        own, coef = z[g == GROUPS], model.coef_[g == GROUPS]
        if coef.any():  # z = limit u where the coefficient is not zero, z <= 0 where it is
            expected = limit * coef / np.linalg.norm(coef)
            np.testing.assert_allclose(own[coef > 0], expected[coef > 0], atol=1e-6)
            assert (own[coef == 0.0] < 1e-6).all()
        else:
            assert np.linalg.norm(np.maximum(own, 0.0)) <= limit * (1.0 + 1e-6)
    some = [
        0.0 < np.count_nonzero(model.coef_[g == GROUPS]) < n
        for g, n in zip(*GROUP_SIZES, strict=True)
    ]
    assert any(some)
    swept = fit(0.05, positive=True, solver="alternating", tol=1e-7)
    np.testing.assert_allclose(swept.coef_, model.coef_, atol=1e-3)
    _, coefs, gaps = group_path(
        X, y, groups=GROUPS, fit_intercept=True, positive=True, alphas=[0.4, 0.2, 0.05], tol=1e-12
    )
    np.testing.assert_allclose(coefs[:, -1], model.coef_, atol=1e-7)
    assert (gaps <= 1e-12 * y.var()).all()
    with pytest.raises(ValueError, match="takes one target"):
        fit(y=Y, positive=True)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("alpha", [0.5, 0.1, 0.01])
def test_an_l1_ratio_of_one_is_the_lasso(alpha, positive):
    one = HadamardLasso(alpha, tol=1e-12, positive=positive).fit(X, y)
    other = fit(alpha, l1_ratio=1.0, positive=positive)
    np.testing.assert_allclose(other.coef_, one.coef_, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(other.coef_ != 0, one.coef_ != 0)


@pytest.mark.parametrize("ratio", [0.5, 0.8])
def test_sparse_groups(ratio):
    """The optimality conditions: inside groups that are in the model, too."""
    weights = ROOT.copy()
    weights[0] = 0.0
    model = fit(0.1, l1_ratio=ratio, group_weights=weights)
    z = X.T @ (y - model.predict(X)) / len(y)
    single, inside = 0.1 * ratio, 0
    for g, limit in enumerate(0.1 * (1.0 - ratio) * weights):
        own, coef = z[g == GROUPS], model.coef_[g == GROUPS]
        if g == 0:
            assert np.abs(own).max() < 1e-9
        elif coef.any():
            on = coef != 0.0
            expected = limit * coef / np.linalg.norm(coef) + single * np.sign(coef)
            np.testing.assert_allclose(own[on], expected[on], atol=1e-6)
            assert (np.abs(own[~on]) <= single + 1e-6).all()
            inside += np.count_nonzero(~on)
        else:
            assert np.linalg.norm(np.maximum(np.abs(own) - single, 0.0)) <= limit + 1e-9
    assert inside > 0
    assert (model.mu_ == 0.0).any()
    assert f"norms of 8 groups and L1, l1_ratio={ratio}" in str(Summary.from_estimator(model))
    swept = fit(0.1, l1_ratio=ratio, group_weights=weights, solver="alternating", tol=1e-7)
    np.testing.assert_allclose(swept.coef_, model.coef_, atol=1e-3)


@pytest.mark.parametrize("tol", [1e-4, 1e-10])
def test_paths_of_sparse_groups(tol):
    options = {"groups": GROUPS, "l1_ratio": 0.4, "fit_intercept": True}
    alphas, coefs, gaps = group_path(X, y, alphas=30, tol=tol, **options)
    assert (gaps <= tol * y.var()).all()
    assert not coefs[:, 0].any()
    assert group_path(X, y, alphas=[0.99 * alphas[0]], tol=1e-10, **options)[1].any()
    for i in (5, 20, 29):
        alone = fit(alphas[i], l1_ratio=0.4)
        difference = X @ (coefs[:, i] - alone.coef_)
        assert difference.var() <= 2.0 * (gaps[i] + 1e-12 * y.var())
    with pytest.raises(ValueError, match=r"l1_ratio=0\.4 with groups takes one target"):
        group_path(X, Y, **options)
    with pytest.raises(ValueError, match="'l1_ratio' parameter"):
        fit(l1_ratio=1.5)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_multi_task_lasso_of_scikit_learn(fit_intercept):
    for alpha in (1.0, 0.2, 0.01):
        options = {"alpha": alpha, "fit_intercept": fit_intercept, "tol": 1e-12}
        theirs = MultiTaskLasso(max_iter=100_000, **options).fit(X, Y)
        ours = HadamardMultiTaskLasso(**options).fit(X, Y)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-7)
        np.testing.assert_array_equal(ours.coef_ != 0, theirs.coef_ != 0)
        assert ours.mu_.shape == (X.shape[1],)
        np.testing.assert_allclose(ours.mu_ * ours.nu_, ours.coef_, atol=1e-14)
        converted = ours.to_sklearn()
        assert isinstance(converted, MultiTaskLasso)
        np.testing.assert_array_equal(converted.predict(X), ours.predict(X))
        _, coefs, _ = ours.path(X, Y, alphas=[1.5, alpha], fit_intercept=fit_intercept, tol=1e-12)
        np.testing.assert_allclose(coefs[..., 1], theirs.coef_, atol=1e-7)


def test_multi_task_lasso_takes_penalty_weights_by_name():
    names = [f"x{j}" for j in range(X.shape[1])]
    frame = pd.DataFrame(X, columns=names)
    model = HadamardMultiTaskLasso(0.3, penalty_weights={"x3": 0.0, "x0": np.inf}, tol=1e-12)
    model.fit(frame, Y)
    residual = Y - model.predict(frame)
    assert not model.coef_[:, 0].any()
    np.testing.assert_allclose(X[:, 3] @ residual / len(Y), 0.0, atol=1e-10)
    with pytest.raises(ValueError, match="For mono-task outputs, use HadamardLasso"):
        model.fit(frame, y)
    with pytest.raises(NotFittedError):
        HadamardMultiTaskLasso().to_sklearn()


def test_ways_to_say_groups():
    names = [f"g{group}_{j}" for j, group in enumerate(GROUPS)]
    frame = pd.DataFrame(X, columns=names)
    lists = [np.flatnonzero(g == GROUPS).tolist() for g in range(8)]
    by_name = {f"g{g}": [names[j] for j in part] for g, part in enumerate(lists)}
    expected = fit()
    assert expected.group_labels_.tolist() == list(range(8))
    for given in (
        GROUPS.tolist(),
        [f"g{group}" for group in GROUPS],
        lists,
        by_name,
        [by_name[f"g{g}"] for g in range(8)],
        lambda name: name.split("_")[0],
    ):
        found = fit(X=frame, groups=given)
        np.testing.assert_allclose(found.coef_, expected.coef_, rtol=1e-10)
        np.testing.assert_array_equal(found.groups_, GROUPS)
    assert fit(X=frame, groups=by_name).group_labels_.tolist() == list(by_name)


@pytest.mark.parametrize("weights", [[0.0, 1.0], [0.0, 0.0]])
@pytest.mark.parametrize("kind", [HadamardGroupLasso, HadamardGroupPoissonRegressor])
def test_non_negative_coefficients_without_penalty_are_certified(weights, kind):
    """Those at zero, too: a warning is an error."""
    zeros = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((60, 6))
        target = X @ rng.standard_normal(6) + rng.standard_normal(60)
        target = (
            rng.poisson(np.exp(0.3 * target)) if kind is HadamardGroupPoissonRegressor else target
        )
        model = kind(0.05, groups=[0, 0, 0, 1, 1, 1], group_weights=weights, positive=True)
        model.set_params(tol=1e-8).fit(X, target)
        zeros += (model.coef_[:3] == 0.0).sum()
        if kind is HadamardGroupLasso and not any(weights):
            centred = X - X.mean(axis=0), target - target.mean()
            best = 0.5 * nnls(*centred)[1] ** 2 / 60
            found = 0.5 * np.sum((centred[1] - centred[0] @ model.coef_) ** 2) / 60
            assert found - best <= model.dual_gap_ + 1e-14
    assert zeros > 10


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_labels_in_an_index_and_rows_of_features(kind):
    frame = kind({f"x{j}": X[:, j] for j in range(30)})
    model = HadamardGroupLasso(0.1, groups=np.arange(30).reshape(10, 3)).fit(X, y)
    by_index = HadamardGroupLasso(0.1, groups=pd.Index(np.arange(30) // 3)).fit(frame, y)
    np.testing.assert_allclose(by_index.coef_, model.coef_, rtol=1e-10)


@pytest.mark.parametrize(
    ("groups", "kind", "message"),
    [
        ([None] * 30, ValueError, "groups contains labels that are missing"),
        ([None, *"ab" * 14, "a"], ValueError, "groups contains labels that are missing"),
        ([[True, False], list(range(2, 30))], ValueError, "True is not the name of a feature, or"),
        (np.zeros((10, 3), dtype=int), ValueError, r"they are there: 0 \(30\), 1 \(0\)"),
        ([0, 1], ValueError, "a label for each of the 30 features"),
        ([[0, 1], [1, 2]], ValueError, r"they are there: 1 \(2\), 3 \(0\)"),
        ([[*range(11)] * 2], ValueError, r"there: 0 \(2\), 1 \(2\), .* 9 \(2\)\."),
        ([list(range(30)), []], ValueError, "group 1 has no features"),
        ([[*range(29), 30]], ValueError, "30 is not the name of a feature, or a number from 0 to"),
        ({"a": ["x0"]}, ValueError, "X has no feature 'x0'"),
        (lambda name: name, TypeError, "X has no feature names"),
        (np.full(30, np.nan), ValueError, "groups contains NaN"),
        ("sizes", ValueError, "'groups' parameter of HadamardGroupLasso must be"),
    ],
)
def test_groups_that_are_not_right(groups, kind, message):
    model = HadamardGroupLasso(groups=groups)
    with pytest.raises(kind, match=message):
        model.fit(X, y)
    assert not hasattr(model, "coef_")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0], r"shape \(8,\), one for each group"),
        ([-1.0] * 8, "must not be negative or NaN. Got -1"),
        ([np.nan] * 8, "must not be negative or NaN"),
        ({"a": 1.0}, r"labels that groups do not have: \['a'\]"),
        ("size", "'group_weights' parameter"),
    ],
)
def test_group_weights_that_are_not_right(weights, message):
    with pytest.raises(ValueError, match=message):
        fit(group_weights=weights)


def test_group_weights():
    np.testing.assert_array_equal(fit(group_weights=ROOT).coef_, fit().coef_)
    one, other = fit(group_weights={2: 0.0, 5: np.inf}), ROOT.copy()
    other[2], other[5] = 0.0, np.inf
    np.testing.assert_array_equal(one.coef_, fit(group_weights=other).coef_)
    assert not one.coef_[GROUPS == 5].any()
    residual = y - one.predict(X)
    np.testing.assert_allclose(X[:, GROUPS == 2].T @ residual / len(y), 0.0, atol=1e-10)
    doubled = fit(0.1, group_weights=2.0 * ROOT)
    np.testing.assert_allclose(doubled.coef_, fit(0.2, group_weights=ROOT).coef_, atol=1e-12)


def test_sample_weights_are_repeated_rows():
    counts = np.random.default_rng(1).integers(0, 4, len(y))
    weighted = fit(sample_weight=counts)
    repeated = fit(X=np.repeat(X, counts, axis=0), y=np.repeat(y, counts))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-10)


@pytest.mark.parametrize("target", [y, Y], ids=["one", "two"])
def test_the_same_in_any_container(target):
    holes = X * (np.random.default_rng(2).random(X.shape) < 0.4)
    of_holes = fit(X=holes, y=target)
    for other in (sparse.csr_array(holes), sparse.csc_array(holes), np.asfortranarray(holes)):
        np.testing.assert_allclose(fit(X=other, y=target).coef_, of_holes.coef_, atol=1e-10)
    rows = [slice(0, 25), slice(25, 26), slice(26, None)]
    far = X + 5.0
    blocks, expected = Batches([(far[part], target[part]) for part in rows]), fit(X=far, y=target)
    streamed = HadamardGroupLasso(0.2, groups=GROUPS, tol=1e-12).fit(blocks)
    for name in ("coef_", "intercept_"):
        np.testing.assert_allclose(getattr(streamed, name), getattr(expected, name), atol=1e-10)
    assert streamed.n_passes_ == 1


def test_tall_data_are_solved_from_moments():
    tall = np.random.default_rng(3).standard_normal((2000, 12)) + 3.0
    target = tall[:, :3].sum(axis=1) + 0.1 * np.random.default_rng(4).standard_normal(2000)
    groups = np.repeat(np.arange(4), 3)
    model = fit(0.5, X=tall, y=target, groups=groups)
    case = GroupCase(
        tall, target[:, None], groups, np.full(4, np.sqrt(3.0)), np.ones(2000), 0.5, True
    )
    objective, bound, scale = worth(case, model.coef_)
    assert objective - bound <= 1e-11 * scale
    assert (model.mu_ > 0).tolist() == [True, False, False, False]


def test_float32_stays_and_the_gap_covers_its_rounding():
    data = X.astype(np.float32)
    model, exact = fit(X=data, tol=1e-9), fit(X=data.astype(np.float64), tol=1e-15)
    assert model.coef_.dtype == np.float32
    case = GroupCase(data, y[:, None], GROUPS, ROOT, np.ones(60), 0.2, True)
    objective, _, scale = worth(case, model.coef_)
    excess = objective - worth(case, exact.coef_)[0]
    assert 0.0 < excess <= model.dual_gap_ <= 1e-9 * scale


@pytest.mark.parametrize("target", [y, Y], ids=["one", "two"])
def test_float32_gaps_cover_the_rounding_of_intercepts(target):
    with pytest.warns(ConvergenceWarning, match="What is left is rounding"):
        model = fit(X=(X + 1e3).astype(np.float32), y=target)
    error = 0.5 * np.finfo(np.float32).eps * np.asarray(model.intercept_, dtype=float)
    assert model.dual_gap_ == pytest.approx(0.5 * (error**2).sum(), rel=1e-4)


def test_sweeps_alone_reach_the_gap():
    swept, finished = fit(solver="alternating", tol=1e-6), fit()
    assert swept.n_iter_ > 5
    np.testing.assert_allclose(swept.coef_, finished.coef_, atol=1e-2)
    np.testing.assert_array_equal(swept.mu_ > 0, finished.mu_ > 0)
    with pytest.warns(ConvergenceWarning, match="max_iter was reached"):
        fit(solver="alternating", tol=1e-10, max_iter=3)


def test_null_and_warm_starts():
    null = fit(alpha=100.0)
    assert null.n_iter_ == 0
    assert not null.coef_.any()
    model = HadamardGroupLasso(0.2, groups=GROUPS, tol=1e-8, warm_start=True).fit(X, y)
    cold = model.coef_
    assert model.fit(X, y).n_iter_ == 0
    np.testing.assert_array_equal(model.coef_, cold)
    assert clone(model).set_params(alpha=0.1).fit(X, y).n_iter_ > 0


def test_alpha_zero_is_least_squares():
    with pytest.warns(UserWarning, match="LinearRegression"):
        model = fit(0.0, tol=1e-8)
    np.testing.assert_allclose(model.coef_, LinearRegression().fit(X, y).coef_, atol=1e-8)


@pytest.mark.parametrize("tol", [1e-4, 1e-9])
@pytest.mark.parametrize("target", [y, Y], ids=["one", "two"])
def test_paths_are_certified_at_each_alpha(tol, target):
    alphas, coefs, gaps, n_iters, intercepts = group_path(
        X, target, groups=GROUPS, tol=tol, fit_intercept=True, return_n_iter=True,
        return_intercept=True,
    )  # fmt: skip
    columns = target[:, None] if target.ndim == 1 else target
    coefs = coefs[None] if target.ndim == 1 else coefs
    assert n_iters[0] == 0
    assert 0 < np.count_nonzero(n_iters) < len(alphas)  # the others are predicted
    for i, alpha in enumerate(alphas):
        case = GroupCase(X, columns, GROUPS, ROOT, np.ones(len(X)), alpha, True)
        objective, bound, scale = worth(case, coefs[..., i])
        assert objective - bound <= tol * scale
        assert gaps[i] <= tol * scale
        assert gaps[i] >= objective - bound - 1e-12 * scale
    last = HadamardGroupLasso(alphas[-1], groups=GROUPS, tol=tol).fit(X, target)
    np.testing.assert_allclose(np.atleast_1d(last.intercept_), np.atleast_2d(intercepts)[:, -1],
                               atol=20.0 * np.sqrt(tol))  # fmt: skip


def test_paths_of_single_features_are_those_of_the_lasso():
    alphas, expected, _ = lasso_path(X, y, tol=1e-12, alphas=20)
    _, coefs, _ = group_path(X, y, tol=1e-12, alphas=alphas)
    np.testing.assert_allclose(coefs, expected, atol=1e-8)


def test_paths_begin_beside_groups_without_penalty():
    weights = ROOT.copy()
    weights[4] = 0.0
    _, coefs, _ = group_path(X, y, groups=GROUPS, group_weights=weights, alphas=5, tol=1e-10)
    free = GROUPS == 4
    np.testing.assert_allclose(
        coefs[free, 0], np.linalg.lstsq(X[:, free], y, rcond=None)[0], atol=1e-7
    )
    assert not coefs[~free, 0].any()
    assert coefs[~free, 1].any()
    _, other, _ = group_path(X, y, groups=GROUPS, alphas=[0.3, 0.2], coef_init=coefs[:, -1])
    np.testing.assert_allclose(other[:, 0], fit(0.3, fit_intercept=False).coef_, atol=1e-2)
    for target, shape in ((y, r"\(30,\)"), (Y, r"\(2, 30\)")):
        with pytest.raises(ValueError, match=f"coef_init must have shape {shape}"):
            group_path(X, target, groups=GROUPS, coef_init=np.zeros(3))


def test_offset_and_scores():
    offset = np.random.default_rng(5).standard_normal(len(y))
    model = HadamardGroupLasso(0.2, groups=GROUPS, tol=1e-12).fit(X, y, offset=offset)
    np.testing.assert_allclose(model.coef_, fit(y=y - offset).coef_, atol=1e-10)
    np.testing.assert_allclose(model.predict(X, offset) - model.predict(X), offset, atol=1e-12)


@pytest.mark.parametrize("kind", [HadamardRelaxed, HadamardStabilitySelection])
def test_what_does_not_take_groups_says_so(kind):
    with pytest.raises(ValueError, match="none with groups"):
        kind(HadamardGroupLasso(0.1, groups=GROUPS)).fit(X, y)


def test_summaries_say_groups():
    assert "norms of 8 groups" in str(Summary.from_estimator(fit()))
    model = HadamardMultiTaskLasso(0.2).fit(X, Y)
    assert "norms of the coefficients of each feature" in str(Summary.from_estimator(model))


def test_nearly_dependent_columns_without_penalty_are_not_certified_in_silence():
    x, z = np.random.default_rng(0).standard_normal((2, 50))
    data, target = np.column_stack([x, x + 1e-8 * z]), z
    with pytest.warns(ConvergenceWarning):
        model = HadamardGroupLasso(1.0, groups=[0, 0], group_weights=[0.0]).fit(data, target)
    excess = 0.5 * np.mean((target - model.predict(data)) ** 2)  # a fit leaves nothing
    assert model.dual_gap_ >= excess
    dummies = np.column_stack([x > 0, x <= 0]).astype(float)  # which depend on the intercept
    model = HadamardGroupLasso(1.0, groups=[0, 0], group_weights=[0.0]).fit(dummies, target)
    assert model.dual_gap_ < 1e-10


def test_equal_alphas_have_equal_solutions():
    _, coefs, gaps = group_path(X, y, groups=GROUPS, alphas=[0.2] * 4 + [0.1] * 3)
    assert (gaps <= 1e-4 * np.mean(y**2)).all()
    np.testing.assert_allclose(coefs[:, :4] - coefs[:, :1], 0.0, atol=1e-12)
    free = group_path(X, y, groups=GROUPS, group_weights=np.zeros(8), alphas=4)
    assert np.isfinite(free[2]).all()
    assert not group_path(X, np.ones(60), groups=GROUPS, fit_intercept=True, alphas=5)[1].any()


def test_starts_that_are_no_good_are_left():
    """Coefficients of features that are left out, of constant columns, and far from any use."""
    weights = np.append(ROOT[:-1], np.inf)
    start = np.full(30, 1e-3)
    data = X.copy()
    data[:, 0] = 3.0
    options = {"groups": GROUPS, "group_weights": weights, "fit_intercept": True}
    _, coefs, _ = group_path(data, y, alphas=[0.01], coef_init=start, tol=1e-2, **options)
    assert not coefs[26:].any()
    assert not coefs[0].any()
    model = fit(warm_start=True)
    model.coef_ = 1e8 * np.ones(30)
    assert model.fit(X, y).n_iter_ <= fit().n_iter_


def test_series_go_by_their_labels():
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(30)])
    groups = pd.Series(list("uvw") * 10, index=frame.columns)
    expected = HadamardGroupLasso(0.1, groups=groups.to_numpy()).fit(frame, y)
    shuffled = HadamardGroupLasso(0.1, groups=groups.sample(frac=1.0, random_state=0))
    np.testing.assert_array_equal(shuffled.fit(frame, y).coef_, expected.coef_)
    weights = pd.Series([0.0, 1.0, 2.0], index=["w", "v", "u"])
    model = HadamardGroupLasso(1e3, groups=groups, group_weights=weights).fit(frame, y)
    assert model.group_labels_[model.mu_ > 0].tolist() == ["w"]
    by_pairs = {("a", 1): range(10), ("b", 2): range(10, 30)}
    model = HadamardGroupLasso(0.1, groups=by_pairs).fit(X, y)
    assert list(model.group_labels_) == list(by_pairs)
    with pytest.raises(TypeError, match=r"group 'a' must be a list of features\. Got 'x1'"):
        HadamardGroupLasso(groups={"a": "x1"}).fit(frame, y)
    with pytest.raises(TypeError, match="does not take data in blocks"):
        group_path(Batches([(X, y)]), None)


def test_single_precision_that_underflows_along_a_path():
    rng = np.random.default_rng(0)
    data = rng.standard_normal((40, 12))
    target = data @ np.r_[1, -2, 0, 0, 0, 0, 0.5, 0.5, 0.5, 0, 0, 0] + 0.3 * rng.standard_normal(40)
    data = (data * 10.0 ** np.linspace(8, 18, 12)).astype(np.float32)
    groups = np.repeat(range(4), 3)
    with pytest.warns(ConvergenceWarning, match="rounding"):
        coefs = group_path(data, target * 1e-29, groups=groups, fit_intercept=True)[1]
    assert np.isfinite(coefs).all()


def test_penalties_of_very_different_sizes():
    rng = np.random.default_rng(1)
    data, target = rng.standard_normal((12, 40)), rng.standard_normal(12)
    weights = np.where(np.arange(8) < 4, 1e-14, 1.0)
    groups = np.repeat(range(8), 5)
    model = HadamardGroupLasso(0.01, groups=groups, group_weights=weights).fit(data, target)
    assert model.dual_gap_ <= 1e-4 * target.var()


def test_verbose_lines_tell_sweeps(capsys):
    model = fit(verbose=2, fit_intercept=False)
    lines = capsys.readouterr().err.splitlines()
    objective = ((y - X @ model.coef_) ** 2).mean() / 2.0
    objective += 0.2 * ROOT @ np.sqrt(np.bincount(GROUPS, model.coef_**2))
    assert f"sweep {model.n_iter_}: objective {objective:.6g}" in lines[-2]
    assert lines[-1].startswith("alpha=0.2: ")
    group_path(X, y, groups=GROUPS, alphas=[0.2])
    assert not capsys.readouterr().err


@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("spread", [0.0, 3.0])
def test_groups_are_zero_where_free_ones_fit_exactly(n_targets, spread):
    """Their penalty costs something, however little: rounding left 1e-20 in place of zero."""
    for seed in range(7):
        own = np.random.default_rng(seed)
        n = 1 + seed
        samples = own.standard_normal((n, 20)) * 10.0 ** own.uniform(-spread, spread, 20)
        target = own.standard_normal((n, n_targets))
        groups = np.append(np.zeros(n + 2, dtype=int), 1 + np.arange(18 - n) // 2)
        weights = np.append(0.0, np.ones(groups.max()))
        model = HadamardGroupLasso(0.1, groups=groups, group_weights=weights)
        model.fit(samples, target[:, 0] if n_targets == 1 else target)
        assert not model.coef_[..., groups > 0].any()
        np.testing.assert_allclose(
            model.predict(samples), target.reshape(model.predict(samples).shape), atol=1e-6
        )


def test_groups_by_position_where_columns_are_numbers():
    """As scikit-learn, the path takes text alone for names; a Series goes by position then."""
    frame = pd.DataFrame(X[:, :4], columns=[3, 2, 1, 0])
    groups = pd.Series([0, 0, 0, 1], index=[0, 1, 2, 3])
    model = HadamardGroupLasso(0.2, groups=groups, fit_intercept=False, tol=1e-12).fit(frame, y)
    path = group_path(frame, y, groups=groups, alphas=[0.2], tol=1e-12)[1][:, 0]
    np.testing.assert_allclose(path, model.coef_, rtol=1e-8)
    with pytest.raises(TypeError, match="Feature names"):
        group_path(frame.rename(columns={0: "a"}), y, groups=groups)


def test_a_column_of_targets_starts_from_a_flat_one_and_back():
    model = HadamardGroupLasso(0.1, groups=GROUPS, warm_start=True, tol=1e-12).fit(X, y)
    coef = model.coef_
    np.testing.assert_allclose(model.fit(X, y[:, None]).coef_.ravel(), coef, rtol=1e-8)
    assert model.n_iter_ == 0
    np.testing.assert_allclose(model.fit(X, y).coef_, coef, rtol=1e-8)
    assert model.n_iter_ == 0


@pytest.mark.parametrize(
    "model",
    [
        HadamardLasso(),
        HadamardGroupLasso(),
        HadamardMultiTaskLasso(),
        HadamardPoissonRegressor(),
        HadamardGroupPoissonRegressor(),
        HadamardGammaRegressor(),
        HadamardMultiTaskLassoCV(cv=3, alphas=5),
    ],
    ids=lambda model: type(model).__name__,
)
def test_constant_targets_of_single_precision(model):
    """The gap is what the intercept's digits cost; no tolerance is relative to nothing."""
    target = np.full(60, 3.3)
    multi = isinstance(model, HadamardMultiTaskLasso | HadamardMultiTaskLassoCV)
    model.fit(X.astype(np.float32), target[:, None] if multi else target)  # a warning is an error
    assert 0.0 < model.dual_gap_ < 1e-12
