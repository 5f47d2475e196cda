"""Modules of equinox and optimisers of optax, unchanged."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import janus_mlir as janus

eqx = pytest.importorskip("equinox")
optax = pytest.importorskip("optax")


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
