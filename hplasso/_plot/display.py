"""What the pictures have in common: scikit-learn's conventions for displays, and the axes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._model_selection.rules import end_of_grid
from .._numerics.typing import Float64
from .._validation.parameters import InvalidParameterError


class Display(ABC):
    """What the displays have in common."""

    ax_: Any
    figure_: Any

    @abstractmethod
    def plot(self, ax: Any = None) -> Any:
        """Draw on axes, or on new ones."""

    def _axes(self, ax: Any) -> Any:
        """Set and return the axes to draw on."""
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError(
                f"{type(self).__name__} needs matplotlib: pip install 'hplasso[plot]'"
            ) from error
        if ax is not None and not hasattr(ax, "figure"):
            raise InvalidParameterError(f"ax must be matplotlib Axes or None. Got {ax!r}.")
        if ax is None:
            ax = plt.subplots(layout="constrained")[1]
        self.ax_, self.figure_ = ax, ax.figure
        return ax

    def _mark(self, label: str, value: float, dashes: str) -> None:
        """Mark a penalty by a vertical line."""
        text = f"{label}: {value:.3g}"
        self.ax_.axvline(value, color="0.3", linestyle=dashes, linewidth=1.0, label=text)

    def _penalty_axis(self, penalties: Float64, name: str) -> None:
        """Penalties on a logarithmic scale, the strongest on the left."""
        shown = penalties[penalties > 0.0]  # there is no place for zero on this scale
        low, high = float(shown.min(initial=np.inf)), float(shown.max(initial=0.0))
        self.ax_.set_xscale("log")
        if low < high:
            self.ax_.set_xlim(*((low, high) if name == "C" else (high, low)))
        self.ax_.set_xlabel(name)

    def _note_end_of_grid(self, penalties: Float64, name: str, chosen: Mapping[str, float]) -> None:
        """Say above the axes that the best penalty, "min" of those chosen, is the weakest."""
        words = end_of_grid(name, chosen.get("min", np.nan), penalties)
        if words:
            self.ax_.set_title(words.replace(": ", ":\n"), loc="right", fontsize="small")
