"""
Text: the words that decide
===========================

A paragraph of SciPy's documentation is about statistics, signals, optimisation, linear algebra or
interpolation. A model has to say which. The texts are English, written by people, and come with the
installed SciPy. Sparse logistic regression on TF-IDF weights uses a few words for each subject, and
so its answers can be understood.
"""

import importlib
import inspect
import re

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GroupKFold, GroupShuffleSplit
from sklearn.pipeline import Pipeline

from hplasso import HadamardLogisticRegression, PathSearchCV

# %%
# The texts
# ---------
#
# Docstrings are cut into paragraphs. Code, headings, lists of references, short lines and repeated
# paragraphs are left out. What is printed on this page is for the SciPy that built it; other
# versions have other texts.

SUBJECTS = ["interpolate", "linalg", "optimize", "signal", "stats"]


def paragraphs(docstring):
    """The paragraphs of prose, each in one line."""
    prose = docstring.split("\nReferences\n")[0]
    lines = (" ".join(part.split()) for part in re.split(r"\n\s*\n", prose))
    return [
        line
        for line in lines
        if line.endswith(".") and line.count(" ") >= 12 and not re.search(">>>|::|---", line)
    ]


found = {}  # each text once, with its subject and the function that it is from
for subject in SUBJECTS:
    module = importlib.import_module(f"scipy.{subject}")
    for name in sorted(module.__all__):
        for text in paragraphs(inspect.getdoc(getattr(module, name)) or ""):
            found.setdefault(text, (subject, f"{subject}.{name}"))
texts = np.array(list(found), dtype=object)
subjects, functions = np.array(list(found.values())).T
print(f"{texts.size} paragraphs, of which", end=" ")
print(", ".join(f"{(subjects == each).sum()} on {each}" for each in SUBJECTS))
print("the first:", texts[0])

# %%
# Paragraphs of one function are alike. All of them go to the training texts, or all to the test
# texts, and the same holds for the folds of the cross-validation. Otherwise the scores would be too
# good.

splitter = GroupShuffleSplit(1, test_size=0.25, random_state=0)
train, test = next(splitter.split(texts, groups=functions))

# %%
# The search
# ----------
#
# There are two choices: words alone or also pairs of words, and how strong the penalty is.
# :class:`~hplasso.PathSearchCV` fits the vectorizer once for each fold and choice of words, and
# follows C along a path. X stays sparse. The rule of one standard error takes the strongest penalty
# whose score is within one standard error of the best.

pipeline = Pipeline(
    [
        (
            "words",
            TfidfVectorizer(
                token_pattern=r"[a-zA-Z]{3,}", stop_words="english", sublinear_tf=True, min_df=2
            ),
        ),
        ("model", HadamardLogisticRegression()),
    ]
)
grid = {"words__ngram_range": [(1, 1), (1, 2)], "model__C": np.geomspace(0.5, 20.0, 12)}
search = PathSearchCV(pipeline, grid, cv=GroupKFold(3), scoring="neg_log_loss", rule="1se")
search.fit(texts[train], subjects[train], groups=functions[train])
words, model = search.best_estimator_
names = words.get_feature_names_out()
print(f"C {model.C:.2f}, n-grams {words.ngram_range}, gap {model.dual_gap_:.0e}")
print(f"{(model.coef_ != 0).any(axis=0).sum()} of {names.size} words are used")
right = search.best_estimator_.predict(texts[test]) == subjects[test]
most = max((subjects[test] == each).mean() for each in SUBJECTS)
print(f"test texts: {right.mean():.3f} right; the most frequent subject alone: {most:.3f}")

# %%
# The words
# ---------
#
# The words with the largest coefficients for each subject. A coefficient belongs to a TF-IDF
# weight, which is large for words that are rare elsewhere. A word that is missing here may still
# tell something: if several words often appear together, the penalty may keep only one of them.

figure, axes = plt.subplots(1, 5, figsize=(11.0, 3.6), layout="constrained", sharex=True)
for ax, subject, coef in zip(axes, model.classes_, model.coef_, strict=True):
    top = np.argsort(coef)[-10:]
    ax.barh(names[top], coef[top], color="#0072B2")
    ax.set_title(f"{subject}: {np.count_nonzero(coef)} words", fontsize="medium")
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right"]].set_visible(False)
figure.supxlabel("coefficient", fontsize="medium")
figure.savefig("text_words.png", dpi=120)

# %%
# Why this answer?
# ----------------
#
# The score of a subject is an intercept and a sum over the words of a text: weight times
# coefficient. This is the whole model. So each answer can be explained, even a wrong one. The page
# ends with the wrong answer that has the highest probability, and with the words that lead to it.

probabilities = search.best_estimator_.predict_proba(texts[test])
wrong = np.flatnonzero(~right)
chosen = wrong[probabilities[wrong].max(axis=1).argmax()]
text, answer = texts[test][chosen], probabilities[chosen].argmax()
print(f"{functions[test][chosen]}: {text}")
print(f"answer: {model.classes_[answer]}, with probability {probabilities[chosen, answer]:.2f}")
weights = words.transform([text]).toarray()[0]
for word in np.argsort(-weights * model.coef_[answer])[:5]:
    print(f"{names[word]:20}{weights[word] * model.coef_[answer, word]:6.2f}")
