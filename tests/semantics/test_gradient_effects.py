"""Effects of functions that are differentiated: once, after the gradient, with the values that were computed."""

from __future__ import annotations

import jax
import jax.numpy as jnp

import janus_mlir as janus
from semantics.oracle import Cases, vec

cases = Cases()


class Norm:
    def __init__(self) -> None:
        self.training = True
        self.mean = jnp.zeros(())

    def __call__(self, w, x):
        if self.training:
            mean = x.mean()
            self.mean = 0.9 * self.mean + 0.1 * jax.lax.stop_gradient(mean)
        else:
            mean = self.mean
        return (x - mean) * w


@cases.add(lambda i: (Norm(), vec(), vec(start=float(i))), lambda: (Norm(), vec(5), vec(5)))
def running_average(norm, w, x):
    def loss(w):
        return (norm(w, x) ** 2).sum()

    first, gradient = janus.value_and_grad(loss)(w)
    return first, gradient, norm.mean


class Recurrent:
    def __init__(self) -> None:
        self.states = [(jnp.zeros(3), jnp.ones(3)), (jnp.zeros(3), jnp.ones(3))]

    def loss(self, w, x):
        states = list(self.states)
        for t in range(3):
            for layer in range(2):
                hidden, memory = states[layer]
                memory = jnp.tanh(memory * w + hidden)
                states[layer] = (memory * x[t], memory)
        self.states = [(jax.lax.stop_gradient(h), jax.lax.stop_gradient(m)) for h, m in states]
        return states[-1][0].sum()


@cases.add(lambda i: (Recurrent(), vec(3), vec(start=float(i))))
def hidden_state(model, w, x):
    results = []
    for _ in range(2):
        results.append(janus.value_and_grad(model.loss)(w, x))
    return results


@cases.add(lambda i: (vec(), []), lambda: (vec(5), [1]))
def appended(x, log):
    def loss(x):
        log.append(jax.lax.stop_gradient(x.max()))
        log.append("once")
        return (x * x).sum()

    return janus.grad(loss)(x), len(log), log[-1]


@cases.add(lambda i: (vec(), {}))
def aside(x, store):
    def loss(x):
        store["sum"] = jax.lax.stop_gradient(x).sum()
        return (x * x).sum(), x + 1

    gradient, more = janus.grad(loss, has_aux=True)(x)
    return gradient * store["sum"], more


@cases.add(lambda i: (vec(), vec(), {}), compiled=False)
def kept_argument(x, y, store):
    def loss(x, y):
        store["y"] = y
        return (x * y).sum()

    gradient = janus.grad(loss)(x, y)
    return gradient, store["y"] is y


test_program = cases.test()
