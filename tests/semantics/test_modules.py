"""Modules of equinox and optimisers of optax, unchanged."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import janus_mlir as janus

eqx = pytest.importorskip("equinox")
optax = pytest.importorskip("optax")
nnx = pytest.importorskip("flax.nnx")


class Net(eqx.Module):
    first: eqx.nn.Linear
    second: eqx.nn.Linear
    scale: jax.Array

    def __init__(self, key):
        a, b = jax.random.split(key)
        self.first = eqx.nn.Linear(4, 8, key=a)
        self.second = eqx.nn.Linear(8, 2, key=b)
        self.scale = jnp.ones(())

    def __call__(self, x):
        return self.second(jax.nn.relu(self.first(x))) * self.scale


def loss_of(model, x, y):
    return jnp.mean((jax.vmap(model)(x) - y) ** 2)


OPTIMISER = optax.adam(1e-2)


def train_step(model, state, x, y):
    loss, grads = eqx.filter_value_and_grad(loss_of)(model, x, y)
    updates, state = OPTIMISER.update(grads, state, eqx.filter(model, eqx.is_array))
    return eqx.apply_updates(model, updates), state, loss


def forward(model, x):
    y = model(x)
    return y * 2 if y.sum() > 0 else y


def clipped_update(params, grads, state):
    updates, state = CLIPPED.update(grads, state, params)
    return optax.apply_updates(params, updates), state


CLIPPED = optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.1, momentum=0.9))


def _data():
    x = jnp.asarray(np.linspace(-1, 1, 20).reshape(5, 4), jnp.float32)
    return x, jnp.stack([x.sum(axis=1), x[:, 0]], axis=1)


def _settled(jitted):
    assert janus.config.stress is not None or jitted.stats.compiled_calls > 0, str(jitted.explain())


def test_training_of_an_equinox_module():
    x, y = _data()
    results = []
    jitted = janus.jit(train_step, warmup=2)
    for step in (train_step, jitted):
        model = Net(jax.random.PRNGKey(0))
        state = OPTIMISER.init(eqx.filter(model, eqx.is_array))
        losses = []
        for _ in range(8):
            model, state, loss = step(model, state, x, y)
            losses.append(float(loss))
        results.append((losses, model))
    np.testing.assert_allclose(*(losses for losses, _ in results), rtol=1e-4)
    plain, ours = (model for _, model in results)
    assert jax.tree.structure(plain) == jax.tree.structure(ours)
    for a, b in zip(jax.tree.leaves(plain), jax.tree.leaves(ours), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    assert type(ours.first) is eqx.nn.Linear and ours.first.in_features == 4
    _settled(jitted)


def test_call_of_an_equinox_module():
    x, _ = _data()
    jitted = janus.jit(forward, warmup=2)
    for seed in (0, 1, 0, 2, 3, 4, 5):
        model = Net(jax.random.PRNGKey(seed))
        np.testing.assert_allclose(jitted(model, x[seed % 5]), forward(model, x[seed % 5]), rtol=1e-5)
    _settled(jitted)


def test_chain_of_optax():
    params = {"w": jnp.ones(3), "b": jnp.zeros(())}
    grads = {"w": jnp.full(3, 2.0), "b": jnp.ones(())}
    jitted = janus.jit(clipped_update, warmup=2)
    plain = ours = params, CLIPPED.init(params)
    for _ in range(6):
        plain, ours = clipped_update(plain[0], grads, plain[1]), jitted(ours[0], grads, ours[1])
    for a, b in zip(jax.tree.leaves(plain), jax.tree.leaves(ours), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    assert jax.tree.structure(plain) == jax.tree.structure(ours)
    _settled(jitted)


# ---- pure steps: the same under `jax.jit`, which makes a quick reference -------------------------------


class Scaled(eqx.Module):
    """Has a number that is no parameter, and a branch on data."""

    inner: eqx.nn.MLP
    drop: eqx.nn.Dropout
    scale: float

    def __call__(self, x):
        y = self.drop(self.inner(x)) * self.scale
        return y if x.shape[0] > 3 else -y


def scaled(step):
    inner = eqx.nn.MLP(4, 2, 4, 1, key=jax.random.PRNGKey(0))
    return Scaled(inner, eqx.nn.Dropout(0.5, inference=True), 1.0 + step)


def by_partition(model, x, y):
    params, static = eqx.partition(model, eqx.is_inexact_array)

    def loss(params):
        out = loss_of(eqx.combine(params, static), x, y)
        return out * 2 if out > 1 else out

    value, grads = jax.value_and_grad(loss)(params)
    return value, eqx.combine(optax.apply_updates(params, jax.tree.map(lambda g: -0.1 * g, grads)), static)


def filtered_gradient(model, x, y):
    def loss(model):
        total = jnp.zeros(())
        for row, goal in zip(x, y, strict=True):
            error = model(row) - goal
            total = total + (jnp.sum(error**2) if error[0] > 0 else jnp.sum(jnp.abs(error)))
        return total, {"total": total}

    (value, aux), grads = eqx.filter_value_and_grad(loss, has_aux=True)(model)
    return value, aux, grads, eqx.apply_updates(model, jax.tree.map(lambda g: -0.1 * g, grads))


gradient_of_loss = eqx.filter_grad(loss_of)


@eqx.filter_jit
def compiled_step(model, x, y):
    return eqx.apply_updates(model, gradient_of_loss(model, x, y))


def by_filter_jit(model, x, y):
    return compiled_step(model, x, y), x.sum()


@pytest.mark.parametrize("step", [by_partition, filtered_gradient, by_filter_jit])
def test_numbers_in_modules(step):
    """A Python number in a module stays one, is not differentiated by, and may vary from call to call."""
    x, y = _data()
    jitted = janus.jit(step, warmup=2)
    for i in range(7):
        model = scaled(i)
        plain, ours = step(model, x, y), jitted(model, x, y)
        assert jax.tree.structure(plain) == jax.tree.structure(ours)
        for a, b in zip(jax.tree.leaves(plain), jax.tree.leaves(ours), strict=True):
            assert isinstance(b, float) == isinstance(a, float)
            if callable(a):
                continue
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    _settled(jitted)
    if step is filtered_gradient:
        assert jitted.stats.compilations <= 2, str(jitted.explain())


def test_optimiser_with_methods():
    """An object of optax that is no pytree is a constant."""
    optimiser = optax.MultiSteps(optax.adam(1e-2), every_k_schedule=2)

    def step(params, state, grads):
        updates, state = optimiser.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    params, grads = jnp.ones(3), jnp.full(3, 2.0)
    plain, jitted = jax.jit(step), janus.jit(step, warmup=0)
    ours = expected = params, optimiser.init(params)
    for _ in range(5):
        ours, expected = jitted(*ours, grads), plain(*expected, grads)
    for a, b in zip(jax.tree.leaves(expected), jax.tree.leaves(ours), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    _settled(jitted)


# ---- modules of flax.nnx, which are changed in place ------------------------------------------------


class Block(nnx.Module):
    """Has all kinds of variables, a function of the program, and a branch on data."""

    def __init__(self, rngs):
        self.first = nnx.Linear(4, 4, use_bias=False, rngs=rngs)
        self.norm = nnx.BatchNorm(4, rngs=rngs)
        self.drop = nnx.Dropout(0.3, rngs=rngs)
        self.rest = nnx.Sequential(lambda x: jnp.tanh(x) * 1.5, nnx.Linear(4, 2, rngs=rngs))
        self.scale = nnx.Param(jnp.ones(2))
        self.count = nnx.Variable(jnp.array(0))
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        self.count[...] += 1
        y = self.rest(self.drop(self.norm(self.first(x))))
        if y.sum() > 0:
            y = y * 2
        return y @ jnp.diag(self.scale[...]) + self.scale


def by_optimizer(model, optimizer, x, y):
    model.train()

    def loss(model, x):
        out = model(x)
        return ((out - y) ** 2).mean(), {"out": out}

    (value, aux), grads = nnx.value_and_grad(loss, has_aux=True)(model, x)
    optimizer.update(model, grads)
    if value < 0.5:
        model.calls += 10
    model.eval()
    return value, aux, model(x), grads["scale"].get_value()


def squares(model, x, y):
    return ((model.first(x) ** 2).sum() + (model.scale[...] ** 3).sum()) * y.sum()


slopes_of_scale = nnx.grad(squares, argnums=nnx.DiffState(0, nnx.PathContains("scale")))


@nnx.jit
def compiled_by_flax(model, optimizer, x, y):
    definition, params, rest = nnx.split(model, nnx.Param, ...)

    def loss(params):
        return squares(nnx.merge(definition, params, rest), x, y)

    value, grads = jax.value_and_grad(loss)(params)
    nnx.update(model, jax.tree.map(lambda p, g: p - 0.01 * g, params, grads))
    both = nnx.grad(squares, argnums=(0, 1))(model, x, y)
    return value, nnx.as_pure(slopes_of_scale(model, x, y)), both[1]


def by_state(model, optimizer, x, y):
    return compiled_by_flax(model, optimizer, x, y), model.scale.value


@pytest.mark.parametrize("step", [by_optimizer, by_state])
def test_modules_of_flax(step):
    x, y = _data()
    sides = []
    for function in (step, janus.jit(step, warmup=1)):
        model = Block(nnx.Rngs(0))
        optimizer = nnx.Optimizer(model, optax.sgd(0.05, momentum=0.9), wrt=nnx.Param)
        results = []
        for _ in range(5):
            results.append(function(model, optimizer, x, y))
            variables = nnx.as_pure((nnx.state(model, nnx.Not(nnx.RngKey)), nnx.state(optimizer)))
            results.append((variables, model.calls, model.norm.use_running_average, vars(model).keys()))
        sides.append(results)
    plain, ours = sides
    assert jax.tree.structure(plain) == jax.tree.structure(ours)
    for a, b in zip(jax.tree.leaves(plain), jax.tree.leaves(ours), strict=True):
        assert type(a) is type(b)
        if isinstance(a, jax.Array):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
        else:
            assert a == b or callable(a)
    _settled(function)
