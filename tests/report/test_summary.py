"""Summaries: what their tables hold, by which names, and how they are shown."""

import pickle
import re
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Lasso
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import hplasso
from hplasso import (
    HadamardElasticNet,
    HadamardElasticNetCV,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLassoIC,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    HadamardPoissonRegressorCV,
    HadamardRelaxed,
    HadamardRelaxedCV,
    HadamardStabilitySelection,
    HadamardTweedieRegressor,
    PathSearchCV,
    Summary,
)

X, y = load_diabetes(return_X_y=True, as_frame=True)
IRIS, CODES = load_iris(return_X_y=True)
SPECIES = np.array(["setosa", "versicolor", "virginica"])[CODES]
ALPHAS = np.geomspace(2.0, 0.05, 6)
of = Summary.from_estimator


@pytest.fixture(scope="module")
def lasso():
    return HadamardLassoCV(alphas=12, rule="1se").fit(X, y)


@pytest.fixture(scope="module")
def selector():
    return HadamardStabilitySelection(n_resamples=10, n_selected=5, random_state=0).fit(X, y)


def row_of(frame, rule):
    (row,) = [row for _, row in frame.iterrows() if rule in row["rule"].split(", ")]
    return row


def text_rows(summary, caption):
    """The rows of a table in the text, headings first, as words."""
    (part,) = [part for part in str(summary).split("\n\n") if part.startswith(caption)]
    text = str(summary).partition(part + "\n\n")[2].partition("\n\n")[0]
    return [line.split() for line in text.splitlines()]


def test_names_come_out_of_a_column_transformer():
    table = X.assign(sex=np.where(X["sex"] > 0, "f", "m"))
    columns = make_column_transformer(
        (OneHotEncoder(), ["sex"]), (StandardScaler(), ["s5", "bmi", "bp"])
    )
    model = make_pipeline(columns, HadamardLasso(2.0)).fit(table, y)
    frame = of(model).to_frame()
    coefs = dict(zip(columns.get_feature_names_out(), model[-1].coef_, strict=True))
    assert 0 < len(frame) < len(coefs)
    assert frame["coefficient"].to_dict() == {name: each for name, each in coefs.items() if each}
    assert (np.diff(np.abs(frame["coefficient"])) < 0.0).all()
    assert list(frame.index)[:2] == ["standardscaler__bmi", "standardscaler__s5"]
    assert [row[0] for row in text_rows(of(model), "Coefficients")[1:]] == list(frame.index)


@pytest.mark.parametrize(
    ("model", "data", "names"),
    [
        (HadamardLasso(0.5), X.to_numpy(), {"x2", "x3", "x6", "x8"}),
        (HadamardLasso(0.5), X, {"bmi", "bp", "s3", "s5"}),
        (make_pipeline(FunctionTransformer(), HadamardLasso(0.5)), X, {"bmi", "bp", "s3", "s5"}),
        (
            make_pipeline(FunctionTransformer(np.asarray), HadamardLasso(0.5)),
            X,
            {"x2", "x3", "x6", "x8"},
        ),
        (
            make_pipeline("passthrough", make_pipeline(StandardScaler(), HadamardLasso(20.0))),
            X,
            {"bmi", "bp", "s5"},
        ),
        (HadamardRelaxed(HadamardLasso(0.5)), X, {"bmi", "bp", "s3", "s5"}),
    ],
)
def test_names(model, data, names):
    assert set(of(model.fit(data, y)).to_frame().index) == names


def test_classes_have_a_column_each():
    model = HadamardLogisticRegression(0.05).fit(IRIS, SPECIES)
    frame = of(model).to_frame()
    assert list(frame.columns) == ["setosa", "versicolor", "virginica"]
    present = np.flatnonzero(model.coef_.any(axis=0))
    assert 0 < present.size < 4
    assert set(frame.index) == {f"x{feature}" for feature in present}
    for name, row in frame.iterrows():
        assert_array_equal(row, model.coef_[:, int(name[1:])])
    sparse = of(model.sparsify()).to_frame()
    assert_array_equal(sparse, frame)
    kinds = np.array(["bug", "feature", "question"])[CODES]  # one is the heading of the names
    text = text_rows(of(HadamardLogisticRegression(0.05).fit(IRIS, kinds)), "Coefficients")
    assert text[0] == ["feature", "bug", "feature", "question"]
    assert {row[0] for row in text[1:]} == set(frame.index)
    two = HadamardLogisticRegression().fit(IRIS, SPECIES == "setosa")
    assert "for the log odds of True" in str(of(two))
    targets = HadamardLasso(0.5).fit(X, np.column_stack([y, -y]))
    assert_array_equal(of(targets).to_frame()["y0"], -of(targets).to_frame()["y1"])


def test_cross_validation_has_the_rows_of_the_rules(lasso):
    summary = of(lasso)
    frame = summary.to_frame("cross_validation")
    assert_array_equal(frame["alpha"], lasso.alphas_)
    assert_array_equal(frame["nonzero"], (lasso.coef_path_ != 0).sum(axis=0))
    assert_array_equal(frame["mean_squared_error"], lasso.mse_path_.mean(axis=1))
    assert_array_equal(frame["standard_error"], lasso.mse_se_)
    assert lasso.alpha_min_ < lasso.alpha_1se_
    assert row_of(frame, "min")["alpha"] == lasso.alpha_min_
    assert row_of(frame, "1se")["alpha"] == lasso.alpha_1se_
    assert (frame["rule"] != "").sum() == 2
    heading, least, simplest, note = text_rows(summary, "Cross-validation: mean squared error")
    assert heading == ["rule", "alpha", "nonzero", "mean_squared_error", "standard_error"]
    assert [least[:2], simplest[:2]] == [
        ["min", f"{lasso.alpha_min_:.4g}"],
        ["1se", f"{lasso.alpha_1se_:.4g}"],
    ]
    assert " ".join(note) == "2 of 12 rows; to_frame('cross_validation') has them all."
    assert "rule='1se', 12 values of alpha" in str(summary)


def test_two_l1_ratios_to_choose_from_and_one():
    for given, said in (([0.9, 0.5], True), ([0.9], False)):
        model = HadamardElasticNetCV(l1_ratio=given, alphas=8).fit(X, y)
        assert (", and of l1_ratio: 0.5, 0.9" in str(of(model))) is said
        assert ("of l1_ratio" in str(of(model))) is said


@pytest.mark.parametrize("l1_ratio", [[0.1, 0.9, 0.5], [0.5, 0.1, 0.9]])
def test_cross_validation_of_the_chosen_l1_ratio(l1_ratio):
    model = HadamardElasticNetCV(l1_ratio=l1_ratio, alphas=8).fit(X, y)
    assert model.l1_ratio_ == 0.9
    row, frame = l1_ratio.index(0.9), of(model).to_frame("cross_validation")
    assert_array_equal(frame["alpha"], model.alphas_[row])
    assert_array_equal(frame["mean_squared_error"], model.mse_path_[row].mean(axis=1))
    assert_array_equal(frame["standard_error"], model.mse_se_[row])
    assert "of l1_ratio: 0.1, 0.5, 0.9" in str(of(model))
    assert "L1 and ridge, l1_ratio=0.9, alpha" in str(of(model))


@pytest.mark.parametrize(("scoring", "sign"), [("neg_log_loss", -1.0), (None, 1.0)])
def test_cross_validation_of_classes(scoring, sign):
    model = HadamardLogisticRegressionCV(Cs=5, cv=3, scoring=scoring).fit(IRIS, SPECIES)
    frame = of(model).to_frame("cross_validation")
    name = "accuracy" if scoring is None else "log_loss"
    assert_array_equal(frame[name], sign * model.scores_[:, 0].mean(axis=0))
    assert_array_equal(frame["nonzero"], (model.coef_path_ != 0).any(axis=0).sum(axis=0))
    assert row_of(frame, "min")["C"] == model.C_min_
    assert row_of(frame, "1se")["C"] == model.C_1se_
    sweeps = int(model.at(model.C_).n_iter_[0])
    assert re.search(rf"^sweeps +{sweeps}$", str(of(model)), re.MULTILINE)


def test_averages_over_folds_have_no_path():
    model = HadamardLogisticRegressionCV(Cs=3, cv=3, refit=False).fit(IRIS, SPECIES)
    summary = of(model)
    assert list(summary.tables) == ["coefficients", "cross_validation"]
    assert "nonzero" not in summary.to_frame("cross_validation")
    assert "none: the coefficients are means over folds" in str(summary)


def test_cross_validation_of_relaxed_fits():
    model = HadamardRelaxedCV(HadamardLasso(), alphas=6, gammas=[0.0, 1.0], cv=3).fit(X, y)
    frame = of(model).to_frame("cross_validation")
    assert len(frame) == 12
    for rule in ("min", "1se"):
        row = row_of(frame, rule)
        assert row["alpha"] == getattr(model, f"alpha_{rule}_")
        assert row["gamma"] == getattr(model, f"gamma_{rule}_")
        where = list(model.gammas_).index(row["gamma"]), list(model.alphas_).index(row["alpha"])
        assert row["mean_loss"] == -model.scores_.mean(axis=-1)[where]
        assert row["standard_error"] == model.scores_se_[where]
    assert "none: a mixture of two fits" in str(of(model))
    assert f"gamma={model.gamma_:g}" in str(of(model))


@pytest.mark.parametrize("rule", ["min", "1se"])
def test_cross_validation_of_a_search(rule):
    pipeline = make_pipeline(StandardScaler(), HadamardLasso())
    grid = {"hadamardlasso__alpha": 20.0 * ALPHAS, "standardscaler__with_mean": [True, False]}
    options = {"scoring": "neg_mean_squared_error", "cv": 3}
    search = PathSearchCV(pipeline, grid, rule=rule, **options).fit(X, y)
    summary = of(search)
    frame, results = summary.to_frame("cross_validation"), search.cv_results_
    assert_array_equal(frame["mean_squared_error"], -results["mean_test_score"])
    folds = np.stack([results[f"split{fold}_test_score"] for fold in range(3)])
    assert_allclose(frame["standard_error"], folds.std(axis=0, ddof=1) / np.sqrt(3.0))
    best = int(results["rank_test_score"].argmin())
    assert row_of(frame, "min").name == best
    chosen = row_of(frame, rule)
    assert chosen["hadamardlasso__alpha"] == search.best_params_["hadamardlasso__alpha"]
    other = PathSearchCV(pipeline, grid, rule="1se", **options).fit(X, y)
    assert row_of(frame, "1se").name == other.best_index_ != best
    assert set(summary.to_frame().index) <= set(X.columns)
    assert f"PathSearchCV, rule='{rule}', 12 candidates, 3 folds" in str(summary)
    assert "path" not in summary.tables


def test_a_search_that_was_stored_has_the_same_rules():
    """Its candidates share no objects, as those of the same l1_ratio do after the fit."""
    grid = {"alpha": 0.02 * ALPHAS, "l1_ratio": [0.3, 0.9]}
    search = GridSearchCV(HadamardElasticNet(), grid, cv=3).fit(X, y)
    frame = of(search).to_frame("cross_validation")
    assert row_of(frame, "1se").name != row_of(frame, "min").name
    loaded = pickle.loads(pickle.dumps(search))
    assert_array_equal(of(loaded).to_frame("cross_validation")["rule"], frame["rule"])


def test_other_searches():
    grid = {"alpha": ALPHAS}
    search = GridSearchCV(HadamardLasso(), grid, cv=3).fit(X, y)
    assert row_of(of(search).to_frame("cross_validation"), "min").name == search.best_index_
    metrics = {"error": "neg_mean_absolute_error", "r2": "r2"}
    several = PathSearchCV(HadamardLasso(), grid, cv=3, scoring=metrics, refit="error").fit(X, y)
    frame = of(several).to_frame("cross_validation")
    assert_array_equal(frame["mean_absolute_error"], -several.cv_results_["mean_test_error"])
    assert row_of(frame, "min").name == several.best_index_
    unnamed = {"scoring": lambda model, X, y: {"a": model.score(X, y), "b": 0.0}}
    own = PathSearchCV(HadamardLasso(), grid, cv=3, refit=lambda results: 1, **unnamed).fit(X, y)
    frame = of(own).to_frame("cross_validation")
    assert_array_equal(frame["a"], own.cv_results_["mean_test_a"])
    own = PathSearchCV(HadamardLasso(), grid, cv=3, refit=lambda results: 2).fit(X, y)
    assert row_of(of(own).to_frame("cross_validation"), "refit")["alpha"] == ALPHAS[2]
    with pytest.raises(ValueError, match="PathSearchCV has no best_estimator_"):
        of(PathSearchCV(HadamardLasso(), grid, cv=3, refit=False).fit(X, y))


def test_path(lasso):
    frame = of(lasso, X, y).to_frame("path")
    assert_array_equal(frame["alpha"], lasso.alphas_)
    assert_array_equal(frame["nonzero"], (lasso.coef_path_ != 0).sum(axis=0))
    assert_array_equal(frame["dual_gap"], lasso.dual_gap_path_)
    models = [lasso.at(alpha) for alpha in lasso.alphas_]
    assert_allclose(frame["explained"], [r2_score(y, model.predict(X)) for model in models])
    assert "explained" not in of(lasso).to_frame("path")
    assert f"R^2 = {lasso.score(X, y):.4g} on the data" in str(of(lasso, X, y))
    rows = text_rows(of(lasso), "Path")
    assert [rows[1][0], rows[10][0]] == [f"{lasso.alphas_[end]:.4g}" for end in (0, -1)]
    assert " ".join(rows[11]) == "10 of 12 rows; to_frame('path') has them all."


def test_path_explains_deviance():
    """Without features nothing is explained; weights count as repeated samples."""
    model = HadamardLogisticRegressionCV(Cs=4, cv=3, eps=1e-2).fit(IRIS, SPECIES)
    shares = of(model, IRIS, SPECIES).to_frame("path")["explained"]
    assert shares[0] == pytest.approx(0.0, abs=1e-12)
    log_loss = -np.log(model.predict_proba(IRIS)[np.arange(150), CODES]).mean()
    chosen = shares[int(np.flatnonzero(model.Cs_ == model.C_)[0])]
    assert chosen == pytest.approx(1.0 - log_loss / np.log(3.0))
    weights = 1 + np.arange(150) % 3
    weighted = of(model, IRIS, SPECIES, sample_weight=weights).to_frame("path")["explained"]
    repeated = of(model, IRIS.repeat(weights, axis=0), SPECIES.repeat(weights))
    assert_allclose(weighted, repeated.to_frame("path")["explained"])
    counts = HadamardPoissonRegressorCV(alphas=4, cv=3).fit(X, y)
    offset = np.sin(np.arange(len(y)))
    shifted = of(counts, X, y, offset=offset).to_frame("path")["explained"]
    assert shifted.iloc[-1] == counts.at(counts.alphas_[-1]).score(X, y, offset=offset)
    assert "for the logarithm of the mean" in str(of(counts))


def test_path_of_an_information_criterion():
    model = HadamardLassoIC("bic", alphas=8).fit(X, y)
    frame = of(model).to_frame("path")
    assert_array_equal(frame["bic"], model.criterion_)
    assert_array_equal(frame["nonzero"], model.degrees_of_freedom_)
    assert frame["alpha"][frame["bic"].idxmin()] == model.alpha_
    assert "criterion='bic', 8 values of alpha" in str(of(model))


def test_certificates():
    text = str(of(HadamardLasso(0.5, tol=1e-3).fit(X, y)))
    assert re.search(r"^duality gap +\S+ \(tol=0.001, relative to the mean square", text, re.M)
    assert re.search(r"^chosen by +the user", text, re.M)
    text = str(of(HadamardTweedieRegressor(alpha=0.01, power=2.5).fit(X, y)))
    assert re.search(r"^KKT residual +\S+ \(tol=0.0001, relative to the largest corr", text, re.M)


def test_selector(selector):
    frame = of(selector).to_frame()
    assert frame["selection_probability"].to_dict() == {
        name: score for name, score in zip(X.columns, selector.scores_, strict=True) if score
    }
    assert set(frame.index[frame["selected"]]) == set(selector.get_feature_names_out())
    assert f"at most {selector.max_false_:.2g} are expected" in str(of(selector))
    rows = text_rows(of(selector), "Features selected")
    assert len(rows) == 1 + frame["selected"].sum() + 1 < 1 + len(frame)


def test_selection_probabilities_beside_coefficients(lasso, selector):
    summary = of(lasso, stability=selector)
    known = dict(zip(X.columns, selector.scores_, strict=True))
    frame = summary.to_frame()
    assert frame["selection_probability"].to_dict() == {name: known[name] for name in frame.index}
    assert list(summary.to_frame("stability").columns) == ["selection_probability", "selected"]
    turned = make_pipeline(StandardScaler(), HadamardLassoIC()).fit(X[X.columns[::-1]], y)
    frame = of(turned, stability=selector).to_frame()
    assert frame["selection_probability"].to_dict() == {name: known[name] for name in frame.index}
    other = HadamardLasso(0.5).fit(X.to_numpy(), y)
    with pytest.raises(ValueError, match=r"stability must know .* 'x0' and 9 more are not among"):
        of(other, stability=selector)
    with pytest.raises(ValueError, match="stability must be a fitted HadamardStabilitySelection"):
        of(lasso, stability=lasso)
    with pytest.raises(ValueError, match=r"stability must be a fitted .* one\. Got 3\."):
        of(lasso, stability=3)


def test_what_can_not_be_summarised(lasso):
    with pytest.raises(NotFittedError):
        of(make_pipeline(StandardScaler(), HadamardLassoCV()))
    with pytest.raises(ValueError, match=r"estimator must be .* of hplasso.*\. Got Lasso\."):
        of(make_pipeline(Lasso()).fit(X, y))
    with pytest.raises(ValueError, match="X and y must be given both"):
        of(lasso, X)
    with pytest.raises(ValueError, match="sample_weight and offset must be None"):
        of(lasso, sample_weight=np.ones(len(y)))
    allowed = "'coefficients', 'cross_validation', 'path', which HadamardLassoCV has"
    with pytest.raises(ValueError, match=f"table must be one of {allowed}. Got 'stability'"):
        of(lasso).to_frame("stability")
    with pytest.raises(ValueError, match=r"'n_features' .* must be an int"):
        of(lasso).to_markdown(n_features=0)


def test_pandas_is_needed_for_frames_alone(monkeypatch, lasso):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert str(of(lasso))
    with pytest.raises(ImportError, match="to_frame needs pandas: pip install pandas"):
        of(lasso).to_frame()


AWKWARD = ["<b>bmi</b>", "a|b", "_s5_", "plain_name", "two\nlines", *map(str, range(5))]


@pytest.fixture(scope="module")
def awkward():
    data = X.set_axis(AWKWARD, axis=1)
    return of(HadamardLassoCV(alphas=12).fit(data, y), data, y)


def test_html_has_headings_and_no_markup_of_names(awkward):
    root = ElementTree.fromstring(awkward._repr_html_())
    tables = root.findall("table")
    assert len(tables) == 4
    assert all("".join(table.find("caption").itertext()) for table in tables)
    for table in tables[1:]:
        columns = table.findall("thead/tr/th")
        assert {cell.get("scope") for cell in columns} == {"col"}
        for row in table.findall("tbody/tr"):
            assert [cell.tag for cell in row] == ["th"] + ["td"] * (len(columns) - 1)
            assert row[0].get("scope") == "row"
    names = {"".join(row[0].itertext()) for row in tables[1].findall("tbody/tr")}
    assert names == {" ".join(name.split()) for name in awkward.to_frame().index}
    assert "<b>bmi</b>" in names
    assert "color" not in awkward._repr_html_()


def test_a_card_shows_twenty_features_and_names_the_penalty():
    rng = np.random.default_rng(0)
    wide = rng.standard_normal((60, 25))
    model = HadamardElasticNet(alpha=0.1, l1_ratio=0.0).fit(wide, wide.sum(axis=1))
    card = of(model).to_markdown()
    assert "20 of 25 rows are shown." in card
    assert "penalty: ridge, alpha=0.1" in card


def test_model_card(awkward, lasso, selector):
    card = awkward.to_markdown()
    for name in (r"\<b\>bmi\</b\>", r"a\|b", r"\_s5\_", "plain_name"):
        assert f"| {name} | " in card
    headings = re.findall("^#+ (.*)$", card, re.MULTILINE)
    assert headings == [
        *("Model card: HadamardLassoCV", "Data", "Penalty", "Fit", "Features"),
        *("Cross-validation", "Versions"),
    ]
    assert "- samples: 442\n" in card
    assert f"- hplasso: {hplasso.__version__}\n- scikit-learn: " in card
    assert "no test of significance" in card
    few = of(lasso, stability=selector).to_markdown(n_features=2)
    features, _, probabilities = few.partition("## Features")[2].partition("Features selected")
    assert re.findall(r"^\| (\w+) \|", features, re.MULTILINE) == ["feature", "bmi", "s5"]
    assert "\n| :-- | --: | --: |\n| bmi | " in features  # names to the left, numbers to the right
    assert f"2 of {np.count_nonzero(lasso.coef_)} rows are shown." in features
    assert "no p-value" in probabilities
    assert "## Stability selection" in few


@pytest.mark.parametrize("n_classes", [2, 3])
def test_an_offset_explains_nothing(n_classes):
    """D^2 compares with intercepts alone beside the offset, as the scores of other losses do."""
    rng = np.random.default_rng(0)
    labels = SPECIES[:, None].ravel() if n_classes == 3 else SPECIES == "virginica"
    offset = 2.0 * rng.standard_normal((150, n_classes) if n_classes == 3 else 150)
    model = HadamardLogisticRegressionCV(Cs=5, cv=3).fit(IRIS, labels, offset=offset)
    frame = of(model, IRIS, labels, offset=offset).to_frame("path")
    assert frame["nonzero"].iloc[0] == 0
    assert frame["explained"].iloc[0] == pytest.approx(0.0, abs=1e-6)
    assert frame["explained"].iloc[-1] > 0.5
    weak = HadamardLogisticRegression(C=1e-8).fit(IRIS, labels, offset=offset)
    (said,) = re.findall(r"D\^2 = (\S+)", str(of(weak, IRIS, labels, offset=offset)))
    assert abs(float(said)) < 1e-6


def test_the_gap_with_an_offset_is_relative_to_what_is_fitted():
    offset = 100.0 * np.arange(len(y))
    text = str(of(HadamardLasso().fit(X, y, offset=offset), X, y, offset=offset))
    assert "relative to the mean square of y - offset about its mean" in text


def test_a_class_may_have_the_name_of_a_column(selector):
    labels = np.where(SPECIES == "setosa", "selection_probability", SPECIES)
    model = HadamardLogisticRegression().fit(IRIS, labels)
    chooser = HadamardStabilitySelection(
        HadamardLogisticRegression(), n_resamples=6, n_selected=2, random_state=0
    ).fit(IRIS, labels)
    frame = of(model, stability=chooser).to_frame()
    names = ["selection_probability", "versicolor", "virginica", "selection_probability_"]
    assert list(frame.columns) == names
