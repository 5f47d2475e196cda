"""The gradient functions of Janus: outside of `janus.jit`, by attribute paths, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import janus_mlir as janus
from semantics.oracle import Box, check, mat, small


def _loss(model: Any, x: Any) -> Any:
    h = x
    for k in range(3):
        h = jnp.tanh(h @ model.params["w"] + model.params["b"])
        if h.sum() > 100:
            return h.sum()
    return (h * h).sum() * model.scale


def test_attribute_paths() -> None:
    model = Box(params={"w": mat(4, 4), "b": small()}, scale=2.0)
    x = mat(2, 4)

    def by_jax(params: Any) -> Any:
        return _loss(Box(params=params, scale=2.0), x)

    value, slopes = jax.value_and_grad(by_jax)(model.params)
    step = janus.value_and_grad(_loss, wrt="model.params")
    original = model.params
    for _ in range(6):
        ours, gradients = step(model, x)
        assert model.params is original
        np.testing.assert_allclose(ours, value, rtol=1e-5)
        assert list(gradients) == ["b", "w"]
        for name in gradients:
            np.testing.assert_allclose(gradients[name], slopes[name], rtol=1e-4, atol=1e-6)


def test_attribute_paths_inside() -> None:
    def world(_: Any) -> Iterator[Any]:
        model = Box(params={"w": mat(4, 4), "b": small()}, scale=2.0)
        for i in range(8):
            yield model, mat(2, 4, start=float(i % 2))

    both = janus.value_and_grad(_loss, wrt=("model.params", "model.scale"))

    def step(model: Any, x: Any) -> Any:
        value, (slopes, scale) = both(model, x)
        model.params = {k: v - 0.01 * slopes[k] for k, v in model.params.items()}
        again = janus.grad(lambda box, x: _loss(box, x) ** 2, wrt="box.scale")(model, x)
        return value, scale, again

    check(step, world)


def test_outside_of_jit() -> None:
    def loss(w: Any, n: Any) -> Any:
        y = w
        while y.sum() < 50:
            y = y * 2 + n
        return y.sum()

    ours = janus.value_and_grad(loss)
    for i in range(7):
        x = small(start=float(i % 3 + 1))
        value, slope = ours(x, 1.0)
        expected, gradient = jax.value_and_grad(loss)(x, 1.0)
        np.testing.assert_allclose(value, expected, rtol=1e-6)
        np.testing.assert_allclose(slope, gradient, rtol=1e-6)
    again = jax.jit(jax.grad(lambda w: janus.grad(lambda v: jnp.sum(v**3))(w).sum()))(small())
    np.testing.assert_allclose(again, 6 * small(), rtol=1e-6)


def test_refuses() -> None:
    with pytest.raises(ValueError, match="no attribute"):
        janus.grad(_loss, wrt="model")
    with pytest.raises(TypeError):
        janus.grad(lambda w: w)(jnp.ones(2))


def test_tracers() -> None:
    """A differentiated value is no Python float in JAX, and no text; what is cut off from it is."""

    def as_float(w: Any) -> Any:
        return w.sum() * float(w[0])

    def cut(w: Any) -> Any:
        print(jax.lax.stop_gradient(w).sum(), w.shape)
        return w.sum() * float(jax.lax.stop_gradient(w[0])) + w[1].item() + int(w[2])

    def printed(w: Any) -> Any:
        print(w.sum())
        return w.sum()

    for loss, compiled in ((as_float, False), (cut, True), (printed, False)):

        def step(w: Any, loss: Any = loss) -> Any:
            return jax.value_and_grad(loss)(w)

        check(step, lambda _: ((small(),) for _ in range(6)), compiled=compiled)
