"""L1 penalties for PyTorch models: parameters as products of factors.

A parameter w = u_1 o ... o u_K, with alpha/K (|u_1|^2 + ... + |u_K|^2) added to the loss, has the
penalty alpha |w|_1 for K = 2, and alpha sum_j |w_j|^(2/K) for more: a smooth function of the
factors, for any optimiser. Where a group of weights has one number as a factor, w_g = m_g v_g, the
penalty is alpha sum_g ||w_g||: whole groups go to zero (a group lasso).

    import torch
    from hplasso.torch import parameter_groups, remove, round_to_zero, sparsify

    sparsify(model.layer, "weight")
    optimizer = torch.optim.SGD(parameter_groups(model, alpha), lr=0.1)
    ...                                             # train as always
    round_to_zero(model, closure, alpha)
    remove(model.layer, "weight")

References
----------
P. D. Hoff, Lasso, fractional norm and structured sparse estimation using a Hadamard product
parametrization, Computational Statistics & Data Analysis 115 (2017) 186-198.
L. Ziyin and Z. Wang, spred: solving L1 penalty with SGD, ICML 2023.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    import torch
except ImportError as error:
    raise ImportError(
        "hplasso.torch needs PyTorch, which is not installed: pip install 'hplasso[torch]'."
    ) from error
from torch.nn.utils import parametrize

from ._smooth.torch_product import (
    MODULE,
    Product,
    Sparse,
    found,
    penalty_slope,
    restore,
    trained,
    values_of,
)
from ._validation.parameters import Constraint, Constraints, check_arguments, integer, real

__all__ = ["kkt", "parameter_groups", "penalty", "remove", "round_to_zero", "sparsify"]

CONSTRAINTS: Constraints = {
    "module": (MODULE,),
    "name": (Constraint("a str", lambda value: isinstance(value, str)),),
    "n_factors": (integer(2),),
    "scale": (real(0.0, open_low=True),),
}
# Two objectives are the same up to so many units of rounding. A numerical limit.
SAME_OBJECTIVE = 10.0
DIMENSIONS = {"rows": 0, "columns": 1}

Closure = Callable[[], Any]


@check_arguments(CONSTRAINTS)
def sparsify(
    module: torch.nn.Module,
    name: str = "weight",
    *,
    n_factors: int = 2,
    scale: float = 0.3,
    groups: Any = None,
) -> torch.nn.Module:
    """Make a parameter of a module a product of factors, which are trained in its place.

    The value of the parameter stays; ``module.name`` is computed from the factors when it is used.
    They are the parameters ``module.parametrizations.name.original0``, ``original1``, ..., also in
    the state dict. Give the optimiser its parameters afterwards (`parameter_groups`).

    Parameters
    ----------
    module : torch.nn.Module
        Of any kind: Linear, Conv, Embedding, ...
    name : str, default='weight'
        The name of its parameter, of any shape, floating dtype and device.
    n_factors : int, default=2
        The number K of factors. More than two give the penalty ``alpha * sum_j |w_j|**(2 / K)``,
        which is not convex, and has a local minimum at every zero.
    scale : float, default=.3
        The size of all factors but the first at the start; the first is what is left of the
        parameter. Factors of equal sizes would keep their signs for ever: where the scale is less
        than twice their size, it is twice their size.
    groups : {'rows', 'columns'}, int or torch.Tensor, default=None
        Weights that go to zero as a whole: those with the same place along a dimension ('rows' is
        dimension 0, the outputs or output channels of a layer, 'columns' is 1, the inputs), or with
        the same label in a tensor of int64 of the parameter's shape, with labels from 0 on. None:
        each for itself.

    Returns
    -------
    module : torch.nn.Module
        The module, changed in place.

    Raises
    ------
    ValueError, TypeError
        If an argument is not what it has to be, or the parameter is a product already.

    Examples
    --------
    >>> import torch
    >>> from hplasso.torch import sparsify
    >>> layer = torch.nn.Linear(3, 2)
    >>> [name for name, _ in sparsify(layer).named_parameters()]
    ['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1']
    """
    if parametrize.is_parametrized(module, name):
        raise ValueError(f"{name!r} is parametrized already; remove() makes it plain again.")
    parameters = dict(module.named_parameters(recurse=False))
    if name not in parameters:
        raise ValueError(
            f"{type(module).__name__} has no parameter {name!r}. It has {', '.join(parameters)}."
            if parameters
            else f"{type(module).__name__} has no parameters of its own; sparsify its layers."
        )
    weight = parameters[name]
    if not weight.is_floating_point():
        raise TypeError(f"{name!r} must be of a floating dtype. Got {weight.dtype}.")
    product = Product(n_factors, float(scale), checked_groups(groups, weight))
    return parametrize.register_parametrization(module, name, product)


def checked_groups(groups: Any, weight: torch.Tensor) -> int | torch.Tensor | None:
    """The dimension or the labels of groups."""
    groups = DIMENSIONS.get(groups, groups) if isinstance(groups, str) else groups
    if groups is None:
        return None
    if isinstance(groups, int) and not isinstance(groups, bool):
        if not -weight.ndim <= groups < weight.ndim:
            raise ValueError(
                f"groups must be a dimension of the parameter, of shape {tuple(weight.shape)}. "
                f"Got {groups}."
            )
        return groups % weight.ndim
    if not isinstance(groups, torch.Tensor):
        raise TypeError(
            "groups must be 'rows', 'columns', a dimension, a tensor of labels or None. "
            f"Got {groups!r}."
        )
    if groups.shape != weight.shape or groups.dtype != torch.int64 or int(groups.min()) < 0:
        raise ValueError(
            f"Labels of groups must be of int64, not negative, and of shape {tuple(weight.shape)}, "
            f"the parameter's. Got {groups.dtype}, shape {tuple(groups.shape)}."
        )
    return groups.detach().to(weight.device).clone()


def parameter_groups(model: torch.nn.Module, alpha: float) -> list[dict[str, Any]]:
    """Parameters for an optimiser whose weight decay is the penalty.

    The factors get ``weight_decay = 2 * alpha / K``, which adds the gradient of the penalty to that
    of the loss; all other parameters of the model get none. Only for optimisers with *coupled*
    decay, such as SGD and Adam: that of AdamW is not the gradient of any penalty.

    Parameters
    ----------
    model : torch.nn.Module
    alpha : float
        The penalty, as a multiple of the loss that is differentiated.

    Returns
    -------
    groups : list of dict
        With the keys ``params`` and ``weight_decay``.

    Raises
    ------
    ValueError, TypeError
        If the model has no parameters from `sparsify`, or alpha is negative.

    Examples
    --------
    >>> import torch
    >>> from hplasso.torch import parameter_groups, sparsify
    >>> layer = sparsify(torch.nn.Linear(3, 2))
    >>> groups = parameter_groups(layer, 0.01)
    >>> [(len(group["params"]), group["weight_decay"]) for group in groups]
    [(2, 0.01), (1, 0.0)]
    >>> optimizer = torch.optim.SGD(groups, lr=0.1)
    """
    by_factors: dict[int, list[torch.nn.Parameter]] = {}
    for sparse in found(model, alpha, "parameter_groups"):
        by_factors.setdefault(sparse.product.n_factors, []).extend(sparse.factors)
    groups = [
        {"params": factors, "weight_decay": 2.0 * float(alpha) / n_factors}
        for n_factors, factors in by_factors.items()
    ]
    known = {id(factor) for factors in by_factors.values() for factor in factors}
    others = [parameter for parameter in model.parameters() if id(parameter) not in known]
    return [*groups, {"params": others, "weight_decay": 0.0}] if others else groups


def penalty(model: torch.nn.Module, alpha: float) -> torch.Tensor:
    """The penalty as a term of the loss, for any optimiser.

    ``alpha / K * sum |u_k|^2`` over the factors of all parameters from `sparsify`: alpha times the
    L1 norm of these (or the sum of the norms of groups) where factors have equal sizes, and more
    elsewhere.

    Parameters
    ----------
    model : torch.nn.Module
    alpha : float

    Returns
    -------
    term : torch.Tensor
        A number that can be differentiated.

    Raises
    ------
    ValueError, TypeError
        If the model has no parameters from `sparsify`, or alpha is negative.

    Examples
    --------
    >>> import torch
    >>> from hplasso.torch import penalty, sparsify
    >>> layer = sparsify(torch.nn.Linear(3, 2))
    >>> loss = layer(torch.ones(1, 3)).square().sum() + penalty(layer, 0.01)
    >>> loss.backward()
    """
    terms = [
        alpha / sparse.product.n_factors * sum((factor**2).sum() for factor in sparse.factors)
        for sparse in found(model, alpha, "penalty")
    ]
    total = terms[0]
    for term in terms[1:]:
        total = total + term.to(total.device)
    return total


def kkt(model: torch.nn.Module, closure: Closure, alpha: float) -> dict[str, torch.Tensor]:
    """How far each weight, or group, is from its optimality condition.

    Parameters
    ----------
    model : torch.nn.Module
    closure : callable
        Computes the loss on all data, without the penalty, and returns it; it does not call
        backward. The model should be as in evaluation, without dropout.
    alpha : float
        The penalty.

    Returns
    -------
    violations : dict of str to torch.Tensor
        For each parameter from `sparsify`, by its name in the model: ``|g + alpha sign(w)|`` where
        a weight w is not zero, ``max(|g| - alpha, 0)`` where it is, g being the gradient of the
        loss; with norms of groups in place of absolute values. Relative to the slope of the
        penalty, which is alpha for two factors. With more factors zero violates nothing. Frozen
        parameters (``requires_grad=False``) are left out.

    Raises
    ------
    ValueError, TypeError
        If the model has no parameters from `sparsify`, or all are frozen, alpha is not positive, or
        the closure does not return a finite number.

    Examples
    --------
    >>> import torch
    >>> from hplasso.torch import kkt, sparsify
    >>> layer = sparsify(torch.nn.Linear(3, 1, bias=False))
    >>> violations = kkt(layer, lambda: layer(torch.eye(3)).square().sum(), alpha=0.1)
    >>> violations["weight"].shape
    torch.Size([1, 3])
    """
    products = trained(found(model, alpha, "kkt", divides=True))
    _, gradients = loss_and_gradients(products, closure)
    violations = {}
    for sparse, gradient in zip(products, gradients, strict=True):
        product, weight = sparse.product, sparse.weight.detach()
        size = product.norms(weight)
        slope = penalty_slope(product, size, alpha)
        direction = weight / product.broadcast(torch.where(size > 0.0, size, 1.0))
        on = product.norms(gradient + product.broadcast(slope) * direction) / slope
        off = (product.norms(gradient) / alpha - 1.0).clamp_min(0.0)
        if product.n_factors > 2:
            off = torch.zeros_like(off)
        violations[sparse.name] = torch.where(size > 0.0, on, off)
    return violations


def loss_and_gradients(
    products: list[Sparse], closure: Closure
) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    """The loss, and its gradients with respect to the parameters themselves."""
    with torch.enable_grad(), parametrize.cached():
        loss = checked_loss(closure())
        weights = [sparse.weight for sparse in products]
        gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    return loss.detach(), tuple(
        torch.zeros_like(weight) if gradient is None else gradient.to_dense()
        for weight, gradient in zip(weights, gradients, strict=True)
    )


def checked_loss(loss: Any) -> torch.Tensor:
    """What a closure returned, if it is a finite number."""
    if not isinstance(loss, torch.Tensor) or loss.numel() != 1:
        raise TypeError(f"closure must return the loss, a tensor with one number. Got {loss!r}.")
    if not bool(torch.isfinite(loss)):
        raise ValueError(f"closure returned {loss.item()}; the loss must be finite.")
    return loss.reshape(())


def round_to_zero(
    model: torch.nn.Module, closure: Closure, alpha: float
) -> dict[str, torch.Tensor]:
    """Set to exactly zero what optimality sends there.

    Training brings such weights close to zero, and never to it. They are told by the gradient of
    the loss, not by their size: at zero ``|g| < alpha`` (the norm of a group's gradient) is enough
    to stay. Those go first that a proximal step would set to zero soonest, and as many as do
    not raise the objective. Factors that are zero stay zero when training goes on.

    Parameters
    ----------
    model : torch.nn.Module
        Trained with the penalty alpha. Its factors are changed in place.
    closure : callable
        As for `kkt`: returns the loss on all data, without the penalty. It is called some ten to
        thirty times.
    alpha : float
        The penalty.

    Returns
    -------
    zeros : dict of str to torch.Tensor of bool
        For each parameter from `sparsify`, by its name in the model: which weights, or groups, are
        zero now. Frozen parameters (``requires_grad=False``) are left out, and stay as they are.

    Raises
    ------
    ValueError, TypeError
        As for `kkt`; the model is then as it was.

    Examples
    --------
    >>> import torch
    >>> from hplasso.torch import round_to_zero, sparsify
    >>> layer = torch.nn.Linear(2, 1, bias=False)
    >>> with torch.no_grad():
    ...     _ = layer.weight.copy_(torch.tensor([[0.9, 1e-3]]))
    >>> def loss():
    ...     return 0.5 * (sparsified.weight - torch.tensor([[1.0, 0.05]])).square().sum()
    >>> sparsified = sparsify(layer)
    >>> round_to_zero(sparsified, loss, alpha=0.1)
    {'weight': tensor([[False,  True]])}
    """
    products = trained(found(model, alpha, "round_to_zero", divides=True))
    before = values_of(products)
    try:
        while zero_some(products, closure, float(alpha)):
            pass
    except BaseException:
        restore(products, before)
        raise
    return {sparse.name: sparse.product.norms(sparse.weight.detach()) == 0.0 for sparse in products}


def zero_some(products: list[Sparse], closure: Closure, alpha: float) -> bool:
    """Set to zero as many units as do not raise the objective; whether there were any."""
    loss, gradients = loss_and_gradients(products, closure)
    highest = objective(products, loss, alpha)
    highest += SAME_OBJECTIVE * torch.finfo(loss.dtype).eps * abs(highest)
    lengths = []  # of the proximal step that sets a unit to zero
    for sparse, gradient in zip(products, gradients, strict=True):
        size = sparse.product.norms(sparse.weight.detach())
        spare = penalty_slope(sparse.product, size, alpha) - sparse.product.norms(gradient)
        length = torch.where((size > 0.0) & (spare > 0.0), size / spare, torch.inf)
        lengths.append(length.detach().double().cpu())
    every = torch.cat([length.flatten() for length in lengths])
    every = every[every.isfinite()].unique()  # sorted
    saved = values_of(products)
    while every.numel():
        for sparse, length in zip(products, lengths, strict=True):
            zero_others(sparse, (length > every[-1]).to(sparse.weight.device))
        with torch.no_grad():
            lower = objective(products, checked_loss(closure()), alpha) <= highest
        if lower:
            return True
        restore(products, saved)
        every = every[: every.numel() // 2]
    return False


def objective(products: list[Sparse], loss: torch.Tensor, alpha: float) -> float:
    """The loss with the penalty of the parameters themselves."""
    with torch.no_grad():
        return float(loss) + alpha * sum(float(sparse.penalty_value()) for sparse in products)


def zero_others(sparse: Sparse, stays: torch.Tensor) -> None:
    """Keep the factors of some units, and set those of the others to zero."""
    first, *others = sparse.factors
    with torch.no_grad():
        first *= sparse.product.broadcast(stays).to(first.dtype)
        for factor in others:
            factor *= stays.to(factor.dtype)


@check_arguments(CONSTRAINTS)
def remove(module: torch.nn.Module, name: str = "weight") -> torch.nn.Module:
    """Make a product a plain parameter again, with its value, zeros included.

    Parameters
    ----------
    module : torch.nn.Module
        The module that `sparsify` was called on.
    name : str, default='weight'
        The name of its parameter.

    Returns
    -------
    module : torch.nn.Module
        The module, changed in place.

    Raises
    ------
    ValueError
        If the parameter is not a product.

    Examples
    --------
    >>> import torch
    >>> from hplasso.torch import remove, sparsify
    >>> layer = remove(sparsify(torch.nn.Linear(3, 2)))
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'weight']
    """
    chain = module.parametrizations[name] if parametrize.is_parametrized(module, name) else [None]
    if not isinstance(chain[0], Product):
        raise ValueError(f"{name!r} of {type(module).__name__} is not from sparsify().")
    return parametrize.remove_parametrizations(module, name, leave_parametrized=True)
