"""A parameter of a PyTorch model as a product of factors: the parametrization, and its finder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch.nn.utils import parametrize

from .._validation.parameters import Constraint, Constraints, check_parameters, real
from .product import UNBALANCED

MODULE = Constraint("a torch.nn.Module", lambda value: isinstance(value, torch.nn.Module))


class Product(torch.nn.Module):
    """The parametrization: forward multiplies the factors, right_inverse finds some.

    All factors but the first have one number for each *unit*, a single weight or a group.
    """

    def __init__(self, n_factors: int, scale: float, groups: int | torch.Tensor | None) -> None:
        super().__init__()
        self.n_factors, self.scale = n_factors, scale
        self.dimension = groups if isinstance(groups, int) else None
        self.n_groups = int(groups.max()) + 1 if isinstance(groups, torch.Tensor) else 0
        self.register_buffer("index", groups if isinstance(groups, torch.Tensor) else None)

    def forward(self, first: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        """The parameter."""
        product = first
        for factor in others:
            product = product * self.broadcast(factor)
        return product

    def right_inverse(self, weight: torch.Tensor) -> list[torch.Tensor]:
        """Unbalanced factors: (w / c^(K-1), c, ..., c), with c well above those of equal sizes."""
        size = UNBALANCED * self.norms(weight) ** (1.0 / self.n_factors)
        factor = size.clamp_min(self.scale)
        first = weight / self.broadcast(factor) ** (self.n_factors - 1)
        return [first, *(factor.clone() for _ in range(self.n_factors - 1))]

    def norms(self, weight: torch.Tensor) -> torch.Tensor:
        """The length of each unit; of squares of any size, in units of its largest weight."""
        if self.index is None and self.dimension is None:
            return weight.abs()
        sizes, index = weight.detach().abs(), self.index
        others = [d for d in range(weight.ndim) if d != self.dimension]
        if index is None:
            largest = sizes.amax(dim=others, keepdim=True)
        else:
            largest = sizes.new_zeros(self.n_groups)
            largest = largest.scatter_reduce(0, index.flatten(), sizes.flatten(), "amax")
        unit = torch.where(largest > 0.0, largest, 1.0)
        wide = torch.promote_types(weight.dtype, torch.float32)  # sums of many squares are large
        squares = ((weight / self.broadcast(unit)) ** 2).to(wide)
        if index is None:
            total = squares.sum(dim=others, keepdim=True)
        else:
            total = squares.new_zeros(self.n_groups).index_add(
                0, index.flatten(), squares.flatten()
            )
        return unit * total.sqrt().to(weight.dtype)

    def broadcast(self, units: torch.Tensor) -> torch.Tensor:
        """One number for each unit, at each of its weights."""
        return units if self.index is None else units[self.index]

    def extra_repr(self) -> str:
        groups = ""
        if self.dimension is not None:
            groups = f", groups along dimension {self.dimension}"
        elif self.index is not None:
            groups = f", {self.n_groups} groups"
        return f"n_factors={self.n_factors}, scale={self.scale:g}{groups}"


class Sparse(NamedTuple):
    """A parameter that is a product."""

    name: str
    module: torch.nn.Module
    attribute: str
    product: Product
    factors: list[torch.nn.Parameter]

    @property
    def weight(self) -> torch.Tensor:
        return getattr(self.module, self.attribute)

    def penalty_value(self) -> torch.Tensor:
        """sum |w|^q over the units."""
        return (self.product.norms(self.weight) ** (2.0 / self.product.n_factors)).sum()


def sparse_parameters(model: torch.nn.Module) -> Iterator[Sparse]:
    """All products of a model, each once."""
    for path, module in model.named_modules():
        if not parametrize.is_parametrized(module):
            continue
        for attribute, chain in module.parametrizations.items():
            if isinstance(chain[0], Product):
                factors = [getattr(chain, f"original{k}") for k in range(chain[0].n_factors)]
                name = f"{path}.{attribute}" if path else attribute
                yield Sparse(name, module, attribute, chain[0], factors)


def found(model: Any, alpha: Any, owner: str, *, divides: bool = False) -> list[Sparse]:
    """The products of a model; an error if there are none, or alpha is not a penalty.

    Nor may it be zero if something is divided by it.
    """
    constraints: Constraints = {"model": (MODULE,), "alpha": (real(0.0, open_low=divides),)}
    check_parameters(owner, {"model": model, "alpha": alpha}, constraints)
    products = list(sparse_parameters(model))
    if not products:
        raise ValueError(f"{type(model).__name__} has no parameter that sparsify() was called on.")
    return products


def trained(products: list[Sparse]) -> list[Sparse]:
    """Those that are not frozen; an error if all are."""
    products = [
        sparse for sparse in products if any(factor.requires_grad for factor in sparse.factors)
    ]
    if not products:
        raise ValueError(
            "All parameters that sparsify() was called on are frozen: requires_grad is False."
        )
    return products


def penalty_slope(product: Product, size: torch.Tensor, alpha: float) -> torch.Tensor:
    """The derivative of alpha size^(2/K) with respect to the size; at zero that of size one."""
    q = 2.0 / product.n_factors
    return alpha * q * torch.where(size > 0.0, size, 1.0) ** (q - 1.0)


def values_of(products: list[Sparse]) -> list[list[torch.Tensor]]:
    """Copies of the factors."""
    return [[factor.detach().clone() for factor in sparse.factors] for sparse in products]


def restore(products: list[Sparse], saved: list[list[torch.Tensor]]) -> None:
    """Put back what the factors were."""
    with torch.no_grad():
        for sparse, values in zip(products, saved, strict=True):
            for factor, value in zip(sparse.factors, values, strict=True):
                factor.copy_(value)
