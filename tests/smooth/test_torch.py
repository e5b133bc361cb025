"""`hplasso.torch`: parameters of PyTorch models as products of factors."""

import copy
import io

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from hplasso import HadamardLasso

torch = pytest.importorskip("torch", reason="PyTorch, the extra 'torch', is not installed")
hplasso_torch = pytest.importorskip("hplasso.torch")
kkt, parameter_groups = hplasso_torch.kkt, hplasso_torch.parameter_groups
penalty, remove = hplasso_torch.penalty, hplasso_torch.remove
round_to_zero, sparsify = hplasso_torch.round_to_zero, hplasso_torch.sparsify


def linear(p=6, outputs=1, dtype=torch.float64, seed=0, bias=False):
    torch.manual_seed(seed)
    return torch.nn.Linear(p, outputs, bias=bias, dtype=dtype)


LAYERS = {
    "linear": lambda: torch.nn.Linear(4, 3),
    "conv": lambda: torch.nn.Conv2d(2, 3, 3),
    "embedding": lambda: torch.nn.Embedding(5, 4),
    "half": lambda: torch.nn.Linear(4, 3, dtype=torch.bfloat16),
}
GROUPS = {
    "none": lambda weight: None,
    "rows": lambda weight: "rows",
    "columns": lambda weight: "columns",
    "last": lambda weight: -1,
    "labels": lambda weight: torch.arange(weight.numel()).reshape(weight.shape) % 3,
}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize("n_factors", [2, 3])
def test_any_parameter_keeps_its_value_and_trains(layer, groups, n_factors):
    torch.manual_seed(0)
    module = LAYERS[layer]()
    before = module.weight.detach().clone()
    spec = GROUPS[groups](before)
    assert sparsify(module, n_factors=n_factors, groups=spec) is module
    after = module.weight
    assert (after.dtype, after.shape) == (before.dtype, before.shape)
    tolerance = 1e-6 if before.dtype == torch.float32 else 2e-2
    assert_allclose(after.detach().float(), before.float(), rtol=tolerance, atol=1e-30)
    after.float().square().sum().backward()
    factors = [value for name, value in module.named_parameters() if "original" in name]
    assert len(factors) == n_factors
    assert all(torch.isfinite(factor.grad).all() for factor in factors)
    plain = remove(module)
    assert isinstance(plain.weight, torch.nn.Parameter)
    assert_allclose(plain.weight.detach().float(), after.detach().float())


@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize("n_factors", [2, 3, 4])
def test_gradients_of_the_product(groups, n_factors):
    torch.manual_seed(0)
    weight = torch.randn(3, 4, dtype=torch.float64)
    spec = hplasso_torch.checked_groups(GROUPS[groups](weight), weight)
    product = hplasso_torch.Product(n_factors, 0.3, spec)
    factors = [f.requires_grad_() for f in product.right_inverse(weight)]
    assert torch.autograd.gradcheck(product, factors)
    assert_allclose(product(*factors).detach(), weight, rtol=1e-12)


@pytest.mark.parametrize("n_factors", [2, 3])
def test_start_is_nowhere_balanced(n_factors):
    c = 0.3
    weight = torch.cat([torch.tensor([0.0, c**n_factors]), torch.logspace(-12, 6, 300)]).double()
    first, *others = hplasso_torch.Product(n_factors, c, None).right_inverse(weight)
    assert all((other > 0.0).all() for other in others)
    ratio = (first / others[0])[1:].log().abs()
    assert (ratio > np.log(2.5)).all()


def test_penalty_is_that_of_the_norm_where_factors_have_equal_sizes():
    w = torch.tensor([[0.5, -2.0, 0.0], [1.0, 3.0, -0.25]], dtype=torch.float64)
    expected = {
        (2, None): w.abs().sum(),
        (3, None): (w.abs() ** (2.0 / 3.0)).sum(),
        (2, 0): w.norm(dim=1).sum(),
        (3, 1): (w.norm(dim=0) ** (2.0 / 3.0)).sum(),
    }
    for (n_factors, groups), norm in expected.items():
        layer = linear(3, 2)
        sparsify(layer, n_factors=n_factors, groups=groups)
        chain = layer.parametrizations["weight"]
        size = chain[0].norms(w) ** (1.0 / n_factors)
        with torch.no_grad():
            chain.original0.copy_(
                torch.nan_to_num(w / size ** (n_factors - 1))
                if groups is not None
                else w.sign() * size
            )
            for k in range(1, n_factors):
                getattr(chain, f"original{k}").copy_(size)
        assert_allclose(layer.weight.detach(), w, atol=1e-15)
        assert_allclose(penalty(layer, 0.7).detach(), 0.7 * norm, rtol=1e-12)


@pytest.mark.parametrize("n_factors", [2, 3])
def test_weight_decay_is_the_penalty_for_sgd_and_adam_and_is_not_for_adamw(n_factors):
    def trained(optimizer, decayed):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1))
        sparsify(model[0], n_factors=n_factors)
        X, y = torch.randn(20, 4), torch.randn(20, 1)
        groups = parameter_groups(model, 0.3) if decayed else model.parameters()
        steps = optimizer(groups, lr=0.05, **({} if decayed else {"weight_decay": 0.0}))
        for _ in range(20):
            steps.zero_grad()
            loss = torch.nn.functional.mse_loss(model(X), y)
            (loss if decayed else loss + penalty(model, 0.3)).backward()
            steps.step()
        return torch.cat([value.flatten() for value in model.state_dict().values()])

    for optimizer in (torch.optim.SGD, torch.optim.Adam):
        assert_allclose(trained(optimizer, True), trained(optimizer, False), atol=1e-4)
    different = trained(torch.optim.AdamW, True) - trained(torch.optim.AdamW, False)
    assert different.abs().max() > 1e-2


def test_groups_of_an_optimiser_hold_every_parameter_once():
    model = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Linear(5, 5), torch.nn.Linear(5, 1))
    model.append(model[0])  # shared
    sparsify(model[0])
    sparsify(model[1], n_factors=4)
    groups = parameter_groups(model, 0.3)
    assert [group["weight_decay"] for group in groups] == [0.3, 0.15, 0.0]
    assert [len(group["params"]) for group in groups] == [2, 4, 4]
    assert {id(p) for g in groups for p in g["params"]} == {id(p) for p in model.parameters()}


# The lasso


def lasso_data(n=200, p=500, seed=0):
    rng = np.random.default_rng(seed)
    X, coef = rng.standard_normal((n, p)), np.zeros(p)
    coef[:10] = rng.standard_normal(10)
    y = X @ coef + 0.5 * rng.standard_normal(n)
    alpha = 0.1 * np.abs(X.T @ y).max() / n
    exact = HadamardLasso(alpha, tol=1e-13, fit_intercept=False).fit(X, y).coef_
    return X, y, alpha, exact


class Lasso:
    """The lasso as a model, its loss, and how far from the minimum it is, relative to h(0)."""

    def __init__(self, **parameters):
        self.X, self.y, self.alpha, self.exact = lasso_data()
        self.model = linear(self.X.shape[1])
        sparsify(self.model, **parameters)
        self.inputs, self.outputs = torch.from_numpy(self.X), torch.from_numpy(self.y)

    def loss(self):
        residual = self.model(self.inputs)[:, 0] - self.outputs
        return 0.5 * residual.square().mean()

    def objective(self, coef):
        return 0.5 * ((self.X @ coef - self.y) ** 2).mean() + self.alpha * np.abs(coef).sum()

    @property
    def distance(self):
        coef = self.model.weight.detach().numpy()[0]
        return (self.objective(coef) - self.objective(self.exact)) / self.objective(0 * coef)

    def train(self, optimizer, n_steps):
        for _ in range(n_steps):
            optimizer.zero_grad()
            self.loss().backward()
            optimizer.step()

    def balance(self):
        chain = self.model.parametrizations["weight"]
        with torch.no_grad():
            size = self.model.weight.abs().sqrt()
            chain.original0.copy_(self.model.weight.sign() * size)
            chain.original1.copy_(size)


OPTIMISERS = {
    "SGD": (lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9), 1500),
    "Adam": (lambda groups: torch.optim.Adam(groups, lr=0.005), 3000),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_gradient_methods_reach_the_lasso_unless_the_signs_are_locked(name):
    make, n_steps = OPTIMISERS[name]
    problem = Lasso()
    problem.train(make(parameter_groups(problem.model, problem.alpha)), n_steps)
    assert 0.0 <= problem.distance < 1e-6
    locked = Lasso()
    locked.balance()
    signs = locked.model.weight.detach().sign()
    locked.train(make(parameter_groups(locked.model, locked.alpha)), n_steps)
    assert not (locked.model.weight.sign() * signs < 0.0).any()
    assert locked.distance > 1e-2

    violations = kkt(problem.model, problem.loss, problem.alpha)["weight"]
    on = torch.from_numpy(problem.exact != 0.0)
    assert violations.shape == (1, 500)
    assert violations[0, on].max() < 1e-2
    before = problem.distance
    zeros = round_to_zero(problem.model, problem.loss, problem.alpha)["weight"]
    assert_array_equal(zeros[0].numpy(), problem.exact == 0.0)
    assert -1e-12 <= problem.distance <= before
    assert kkt(problem.model, problem.loss, problem.alpha)["weight"].max() < 1e-2
    problem.train(make(parameter_groups(problem.model, problem.alpha)), 10)
    plain = remove(problem.model).weight.detach().numpy()[0]
    assert_array_equal(plain == 0.0, problem.exact == 0.0)


def test_same_seed_same_weights():
    def trained():
        problem = Lasso()
        problem.train(OPTIMISERS["Adam"][0](parameter_groups(problem.model, problem.alpha)), 50)
        return problem.model.weight.detach()

    assert_array_equal(trained(), trained())


def test_round_to_zero_goes_by_gradients_and_not_by_size():
    """A tiny weight that the loss asks for stays; a large one that it does not goes."""
    target = torch.tensor([[0.1001, 0.05, -3.0, 0.09]], dtype=torch.float64)
    layer = linear(4)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.0001, 0.02, -2.9, 1e-9]]))
    sparsify(layer)
    zeros = round_to_zero(layer, lambda: 0.5 * (layer.weight - target).square().sum(), 0.1)
    assert_array_equal(zeros["weight"], [[False, True, False, True]])
    assert_allclose(layer.weight.detach()[~zeros["weight"]], [0.0001, -2.9])


@pytest.mark.parametrize("n_factors", [2, 3])
def test_violations_by_their_formula(n_factors):
    q, alpha = 2.0 / n_factors, 0.3
    target = torch.tensor([[1.0, -0.2, 0.7, 0.1]], dtype=torch.float64)
    layer = linear(4)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.5, 0.4, 0.0, 0.0]]))
    sparsify(layer, n_factors=n_factors)
    got = kkt(layer, lambda: 0.5 * (layer.weight - target).square().sum(), alpha)["weight"]
    slope = alpha * q * np.array([0.5, 0.4]) ** (q - 1.0)
    on = np.abs(np.array([-0.5, 0.6]) + slope) / slope
    off = [0.4 / 0.3, 0.0] if n_factors == 2 else [0.0, 0.0]
    assert_allclose(got, [[*on, *off]], rtol=1e-6)


@pytest.mark.parametrize("kind", ["rows", "columns", "labels"])
def test_groups_are_a_group_lasso(kind):
    rng = np.random.default_rng(0)
    X, target = rng.standard_normal((60, 8)), rng.standard_normal((60, 6))
    target += 2.0 * X[:, [0]] * rng.standard_normal(6) + 2.0 * X[:, [1]] * np.eye(6)[0]
    labels = np.zeros((6, 8), dtype=int)
    labels += {
        "rows": np.arange(6)[:, None],
        "columns": np.arange(8),
        "labels": np.arange(48).reshape(6, 8) % 7,
    }[kind]

    def norms(W):
        return np.sqrt(np.bincount(labels.ravel(), (W**2).ravel()))

    alpha = 0.4 * norms(target.T @ X / 60).max()
    # proximal gradients, by their formula
    exact, step = np.zeros((6, 8)), 60 / np.linalg.norm(X, 2) ** 2
    for _ in range(5000):
        moved = exact - step * (X @ exact.T - target).T @ X / 60
        sizes = norms(moved)
        kept = np.maximum(1.0 - step * alpha / np.maximum(sizes, 1e-300), 0.0)
        exact = kept[labels] * moved
    assert 0 < (norms(exact) == 0.0).sum() < norms(exact).size

    layer = linear(8, 6)
    sparsify(layer, groups=torch.from_numpy(labels) if kind == "labels" else kind)
    inputs, outputs = torch.from_numpy(X), torch.from_numpy(target)

    def loss():
        return 0.5 * (layer(inputs) - outputs).square().sum() / 60

    optimizer = torch.optim.SGD(parameter_groups(layer, alpha), lr=0.05, momentum=0.9)
    for _ in range(1500):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    zeros = round_to_zero(layer, loss, alpha)["weight"].flatten().numpy()
    assert_array_equal(zeros, norms(exact) == 0.0)
    assert_allclose(layer.weight.detach(), exact, atol=1e-5)
    assert kkt(layer, loss, alpha)["weight"].max() < 1e-4


# What modules can do


def test_state_copies_and_restores():
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))
    sparsify(model[0], groups=torch.arange(12).reshape(3, 4) % 5)
    twin = copy.deepcopy(model)
    stored = io.BytesIO()
    torch.save(model.state_dict(), stored)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert not model[0].weight.any()
    assert twin[0].weight.any()
    stored.seek(0)
    model.load_state_dict(torch.load(stored))
    X = torch.randn(7, 4)
    assert_array_equal(model(X).detach(), twin(X).detach())


def test_compiled_models_compute_the_same():
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2))
    sparsify(model[0])
    sparsify(model[2], groups="columns")
    compiled, X = torch.compile(model, backend="eager"), torch.randn(7, 4)
    outputs = compiled(X)
    assert_array_equal(outputs.detach(), model(X).detach())
    outputs.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_of_several_modules_each_is_named():
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 1))
    sparsify(model[0], groups="rows")
    sparsify(model[1])
    sparsify(model[1], "bias")
    X = torch.randn(7, 4)
    violations = kkt(model, lambda: model(X).square().mean(), 0.1)
    shapes = {name: tuple(value.shape) for name, value in violations.items()}
    assert shapes == {"0.weight": (3, 1), "1.weight": (1, 3), "1.bias": (1,)}
    assert "groups along dimension 0" in repr(model)
    penalty(model, 0.1).backward()


def test_a_parameter_that_the_loss_does_not_use_goes_to_zero():
    model = torch.nn.ModuleList([torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)])
    sparsify(model[0])
    sparsify(model[1])
    zeros = round_to_zero(model, lambda: (model[0].weight - 1.0).square().sum(), 0.1)
    assert zeros["1.weight"].all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_low_precision(dtype):
    torch.manual_seed(0)
    layer = torch.nn.Linear(6, 1, bias=False, dtype=dtype)
    X = torch.randn(40, 6, dtype=dtype)
    y = X[:, :1] * 2.0
    sparsify(layer)

    def loss():
        return 0.5 * (layer(X) - y).float().square().mean()

    optimizer = torch.optim.SGD(parameter_groups(layer, 0.3), lr=0.05)
    for _ in range(600):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    zeros = round_to_zero(layer, loss, 0.3)["weight"][0]
    assert_array_equal(zeros.numpy(), [False, True, True, True, True, True])
    assert layer.weight.dtype == dtype


# Bad input


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"module": 3}, "'module' parameter of sparsify must be a torch.nn.Module"),
        ({"name": "weights"}, "Linear has no parameter 'weights'. It has weight, bias"),
        ({"module": torch.nn.ReLU()}, "ReLU has no parameters of its own"),
        ({"n_factors": 1}, "'n_factors'"),
        ({"scale": 0.0}, "'scale'"),
        ({"groups": 2}, r"groups must be a dimension of the parameter, of shape \(3, 4\). Got 2"),
        ({"groups": "channel"}, "groups must be 'rows', 'columns'"),
        ({"groups": True}, "groups must be 'rows', 'columns'"),
        ({"groups": torch.zeros(3, dtype=torch.int64)}, "Labels of groups must be of int64"),
        ({"groups": torch.zeros(3, 4)}, "Labels of groups must be of int64"),
        ({"groups": torch.full((3, 4), -1)}, "Labels of groups must be of int64, not negative"),
    ],
)
def test_bad_input_of_sparsify(change, words):
    arguments = {"module": torch.nn.Linear(4, 3), "name": "weight"} | change
    with pytest.raises((TypeError, ValueError), match=words):
        sparsify(arguments.pop("module"), arguments.pop("name"), **arguments)


def test_a_product_is_not_made_a_product_again():
    layer = sparsify(linear())
    with pytest.raises(ValueError, match="'weight' is parametrized already"):
        sparsify(layer)
    with pytest.raises(ValueError, match="'bias' of ParametrizedLinear is not from sparsify"):
        remove(layer, "bias")
    remove(layer)
    with pytest.raises(ValueError, match="'weight' of Linear is not from sparsify"):
        remove(layer)


def test_integers_are_refused():
    module = torch.nn.Module()
    module.table = torch.nn.Parameter(torch.arange(3), requires_grad=False)
    with pytest.raises(TypeError, match="must be of a floating dtype"):
        sparsify(module, "table")


def test_models_without_products_and_penalties_that_are_none():
    layer = linear()

    def loss():
        return layer(torch.ones(1, 6, dtype=torch.float64)).sum()

    calls = [
        lambda model, alpha: parameter_groups(model, alpha),
        lambda model, alpha: penalty(model, alpha),
        lambda model, alpha: kkt(model, loss, alpha),
        lambda model, alpha: round_to_zero(model, loss, alpha),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="Linear has no parameter that sparsify"):
            call(layer, 0.1)
    sparsify(layer)
    for call in calls:
        with pytest.raises((TypeError, ValueError), match="'alpha'"):
            call(layer, -0.1)
    for call in calls[2:]:  # relative to alpha
        with pytest.raises((TypeError, ValueError), match="'alpha'"):
            call(layer, 0.0)


def test_closures_that_give_no_loss_leave_the_model_as_it_was():
    layer = sparsify(linear())
    before = copy.deepcopy(layer.state_dict())
    bad = [lambda: None, lambda: layer.weight, lambda: (layer.weight * np.nan).sum()]
    for closure in bad:
        with pytest.raises((TypeError, ValueError), match="closure"):
            round_to_zero(layer, closure, 0.1)
    calls = []

    def failing():
        calls.append(0)
        if len(calls) > 1:
            raise RuntimeError("no more")
        return layer.weight.square().sum()

    with pytest.raises(RuntimeError, match="no more"):
        round_to_zero(layer, failing, 0.5)
    for name, value in layer.state_dict().items():
        assert_array_equal(value, before[name])


@pytest.mark.parametrize("n_factors", [2, 3])
@pytest.mark.parametrize("groups", ["columns", torch.tensor([[0, 0, 1, 1, 2]])])
def test_groups_far_below_one_are_set_to_zero(groups, n_factors):
    """Their squares are zero in float32; they are not."""
    layer = torch.nn.Linear(5, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0, 1e-25, 1e-30, 1e-25]]))
    sparsify(layer, groups=groups, n_factors=n_factors)
    wanted = torch.tensor([[1.0, 2.0, 0.0, 0.0, 0.0]])
    zeros = round_to_zero(layer, lambda: 0.5 * (layer.weight - wanted).square().sum(), 0.1)
    by_group = [False, True, True] if torch.is_tensor(groups) else [False, False, True, True, True]
    assert zeros["weight"].flatten().tolist() == by_group
    assert (layer.weight == 0.0).flatten().tolist() == [False, False, True, True, True]


@pytest.mark.parametrize("groups", ["rows", torch.arange(800).reshape(2, 400) // 400])
@pytest.mark.parametrize(("dtype", "value"), [(torch.float16, 20.0), (torch.float32, 1e20)])
def test_weights_whose_squares_overflow_keep_their_values(groups, dtype, value):
    layer = torch.nn.Linear(400, 2, bias=False, dtype=dtype)
    with torch.no_grad():
        layer.weight.fill_(value)
    weight = sparsify(layer, groups=groups).weight
    assert_allclose(weight.detach().double() / value, np.ones((2, 400)), rtol=4e-3)


def test_frozen_parameters_are_left_out():
    torch.manual_seed(0)
    first, last = sparsify(torch.nn.Linear(10, 5)), sparsify(torch.nn.Linear(5, 1))
    model, X = torch.nn.Sequential(first, torch.nn.Tanh(), last), torch.randn(50, 10)

    def loss():
        return model(X).square().mean()

    both, before = kkt(model, loss, 0.1), first.weight.detach().clone()
    first.requires_grad_(False)
    found = kkt(model, loss, 0.1)
    assert list(found) == ["2.weight"]
    assert_array_equal(found["2.weight"], both["2.weight"])
    assert list(round_to_zero(model, loss, 10.0)) == ["2.weight"]
    assert_array_equal(first.weight, before)
    last.requires_grad_(False)
    for function in (kkt, round_to_zero):
        with pytest.raises(ValueError, match="are frozen: requires_grad is False"):
            function(model, loss, 0.1)


def test_gradients_that_are_sparse_tensors():
    torch.manual_seed(0)
    model = sparsify(torch.nn.Embedding(5, 3, sparse=True))
    dense = sparsify(torch.nn.Embedding.from_pretrained(model.weight.detach(), freeze=False))
    rows = torch.tensor([1, 2])
    found = [kkt(one, lambda one=one: one(rows).square().sum(), 0.1) for one in (model, dense)]
    assert_array_equal(found[0]["weight"], found[1]["weight"])
