"""The strings that parameters may be, as types; what is checked are the arguments of these."""

from typing import Literal

Solver = Literal["auto", "alternating"]
Selection = Literal["cyclic", "random"]
Rule = Literal["min", "1se"]
Criterion = Literal["aic", "aicc", "bic", "ebic"]
FamilyName = Literal["poisson", "gamma", "tweedie"]
Link = Literal["auto", "identity", "log"]
Resampling = Literal["half", "pairs", "bootstrap"]
Assumption = Literal["none", "unimodal"]
PenaltyName = Literal["alpha", "C"]
Differences = Literal["2-point", "3-point", "cs"]
Balanced = Literal["balanced"]
GroupWeighting = Literal["sqrt"]
