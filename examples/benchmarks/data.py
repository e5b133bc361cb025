"""Write the table of the real data sets, and their checksums, in reStructuredText.

    python data.py --data DIR > ../../doc/benchmarks/data.inc
    python data.py --data DIR --check

`--data` is a folder as of `run.py`. The data are not part of this project: what is here is where
they come from, how they were prepared, and a checksum of what `load` returns, so that others can
see whether theirs are the same. It is the SHA-256 of the shape of X, of X, and of y. Numbers are in
single precision: rounding in the last digits of double precision makes no difference. A dense X is
taken row by row; a sparse one by its CSC arrays: ends of the columns, row numbers, values.
`--check` compares with those in the table.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np
from problems import raw_data
from scipy import sparse
from table import print_table

DOC = Path(__file__).parents[2] / "doc" / "benchmarks" / "data.inc"
TEXT = "words in at least two texts, TF-IDF with rows of length one"
# What the data are, where they are from, and the licence, where one is stated.
SOURCES = {
    "a9a": (
        "Income above 50,000 dollars, from census data: categories as columns",
        "UCI Adult, as a9a of LIBSVM; copy: GitHub bokunwang1/P-norm-Push, data/a9a.txt",
        "CC BY 4.0 (UCI)",
    ),
    "arcene": (
        "Cancer or not, from mass spectra, and made-up features; the training samples",
        "UCI Arcene, NIPS 2003; copy: GitHub jolars/LookAheadScreening, data/arcene.rds",
        "CC BY 4.0 (UCI)",
    ),
    "bike_hour": (
        "Bicycles on loan in an hour; season, month, hour, weekday and weather as columns of zeros "
        "and ones, seven numbers as they are",
        "UCI Bike Sharing (Fanaee-T and Gama 2013), hour.csv; copy: GitHub lucjb/pydata2017",
        "CC BY 4.0 (UCI)",
    ),
    "cadata": (
        "Median house values of districts of California; *cubic*: all products of up to three of "
        "the eight features",
        "StatLib, as cadata of LIBSVM; copy: GitHub jolars/LookAheadScreening, data/cadata.rds",
        "public data, none stated",
    ),
    "communities_crime": (
        "Violent crimes for each inhabitant of communities, as cleaned by the package",
        "UCI Communities and Crime (Redmond 2009), R package fairml, communities.and.crime",
        "CC BY 4.0 (UCI); package MIT",
    ),
    "diabetes_quad": (
        "Progress of diabetes; ten measurements, their squares and products",
        "Efron et al. 2004, R package lars, diabetes (x2)",
        "package GPL-2",
    ),
    "eyedata": (
        "Expression of the gene TRIM32 in rats, from that of 200 others",
        "Scheetz et al. 2006, R package flare, eyedata",
        "package GPL-2",
    ),
    "farm_ads": (
        "Advertisements approved or not, from which words occur",
        "UCI Farm Ads (farm-ads-vect); copy: GitHub milicaamladenovic/farm-ads-text-classification",
        "CC BY 4.0 (UCI)",
    ),
    "fremtpl2": (
        "Claims of motor insurance; bonus-malus, log density and two ages as numbers, area, power, "
        "brand, fuel, region and classes of both ages as columns of zeros and ones; counts over "
        "exposure, with that as weights",
        "R package CASdatasets, freMTPL2freq; copy: GitHub pimarjo/DataScience",
        "package GPL 2 or later",
    ),
    "gisette_test": (
        "The digits 4 and 9, from pixels, their products, and made-up features; the test samples",
        "NIPS 2003, as gisette_scale.t of LIBSVM; copy: GitHub jolars/LookAheadScreening, "
        "data/gisette-test.rds",
        "public data, none stated",
    ),
    "imdb": (
        f"Stars of film reviews, of 1 to 10; {TEXT}",
        "Maas et al. 2011, aclImdb/train; copy: GitHub "
        "PVidyadhar/Detection-of-Fraud-apps-using-Sentiment-Analysis",
        "free for research, with citation",
    ),
    "leukemia": (
        "Two kinds of leukaemia, from the expression of genes; all 72 samples",
        "Golub et al. 1999, R package datamicroarray, golub (GitHub ramhiser/datamicroarray)",
        "public data; package MIT",
    ),
    "lymphoma": (
        "Three kinds of lymphoma, from the expression of genes, as prepared by Dettling",
        "Alizadeh et al. 2000, R package spls, lymphoma",
        "public data; package GPL 2 or later",
    ),
    "madelon": (
        "Made-up: clusters at the corners of a cube, and noise; training and validation samples",
        "UCI Madelon, NIPS 2003; copy: GitHub anony259106/icml2024, data/madelon.mat",
        "CC BY 4.0 (UCI)",
    ),
    "mice_snp": (
        "Body mass index of mice, from genotypes",
        "Valdar et al. 2006, R package BGLR, mice",
        "package GPL-3",
    ),
    "news20_binary_like": (
        "Groups on science, computers and sale against the others of 20 Newsgroups; which words "
        "and pairs of words occur, headers left out, rows of length one; built like news20.binary "
        "of LIBSVM, and not the same",
        "Lang 1995, the original 19,997 messages; copy: GitHub TanyaOdyniuk/SparkInvertedIndex",
        "none stated",
    ),
    "news20_tfidf": (
        f"The same classes; {TEXT}, headers left out",
        "as above",
        "none stated",
    ),
    "prostate_6033": (
        "Tumour or not, from the expression of genes, as prepared by Dettling",
        "Singh et al. 2002, R package spls, prostate",
        "public data; package GPL 2 or later",
    ),
    "reuters_acq": (
        "News on acquisitions against the others, training part of ModApte; TF-IDF "
        "with rows of length one",
        "Reuters-21578, reut2-000 to 021.sgm; copy: GitHub loki86/ksr_zadanie1V2",
        "free for research",
    ),
    "riboflavin": (
        "Production of riboflavin by Bacillus subtilis, from the expression of genes",
        "Bühlmann, Kalisch and Meier 2014, R package hdi, riboflavin",
        "package GPL",
    ),
    "srbct": (
        "Four kinds of tumours of children, from the expression of genes",
        "Khan et al. 2001, R package datamicroarray, khan (GitHub ramhiser/datamicroarray)",
        "public data; package MIT",
    ),
    "w8a": (
        "Categories of web pages, one against the others, from which words occur",
        "Platt 1998, as w8a of LIBSVM; copy: GitHub unc-optimization/AccSPD, data/w8a",
        "public data, none stated",
    ),
    "we8there": (
        "Stars of restaurants, of 1 to 5, from counts of pairs of words",
        "Mauá and Cozman 2009, Taddy 2013, R package textir, we8there",
        "package GPL-3",
    ),
    "zipcode_usps": (
        "Digits of postal codes, of 16 by 16 pixels; the training samples",
        "R package ElemStatLearn, zip.train",
        "package GPL 2 or later",
    ),
}


def checksum(X, y) -> str:
    """The SHA-256 of data, as the head of this file has it."""
    found = hashlib.sha256(np.array(X.shape, dtype="<i8").tobytes())
    if sparse.issparse(X):
        X = sparse.csc_matrix(X)
        X.sort_indices()
        parts = [(X.indptr, "<i8"), (X.indices, "<i8"), (X.data, "<f4")]
    else:
        parts = [(X, "<f4")]
    for part, kind in [*parts, (y, "<f4")]:
        found.update(np.ascontiguousarray(part, dtype=kind).tobytes())
    return found.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="folder with load.py")
    parser.add_argument("--check", action="store_true", help="compare checksums with the table's")
    arguments = parser.parse_args()
    rows, checksums = [], {}
    for name, (what, source, licence) in SOURCES.items():
        X, y, _ = raw_data(name, arguments.data)
        size = " x ".join(f"{length:,}" for length in X.shape)
        part = f"{100.0 * X.nnz / np.prod(X.shape):.2g} %" if sparse.issparse(X) else "dense"
        rows.append([name.replace("_", " "), size, part, what, source, licence])
        checksums[name] = checksum(X, y)
    if arguments.check:
        known = DOC.read_text().split()
        wrong = [name for name, value in checksums.items() if value not in known]
        print("other data:", ", ".join(wrong) or "none")
        sys.exit(bool(wrong))
    header = ["Data", "n x p", "not zero", "What", "Source", "Licence"]
    print_table("Real data", header, rows, "13 14 9 29 24 11")
    print("Checksums, by ``examples/benchmarks/data.py``:\n\n.. code-block:: text\n")
    for name, value in checksums.items():
        print(f"   {name:20s}{value}")


if __name__ == "__main__":
    main()
