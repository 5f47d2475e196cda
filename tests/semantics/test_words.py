"""PRNG keys and complex numbers: arrays of which an element is several words to native code."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from semantics.oracle import Box, Call, Cases, mat, signed, small, vec

cases = Cases()


def turned(n: int = 4, start: float = 0.0) -> Any:
    """Return a complex vector."""
    return small(n, start) + 1j * small(n, start + 2)


# ---- keys ---------------------------------------------------------------------------------------------


@cases.add(lambda i: (mat(), jax.random.key(i)), lambda: (mat(), jax.random.key(1, impl="rbg")))
def dropout(x, key):
    def loss(w, key):
        key, sub = jax.random.split(key)
        kept = jnp.where(jax.random.bernoulli(sub, 0.7, w.shape), w / 0.7, 0.0)
        if kept.sum() > 0:
            key = jax.random.fold_in(key, 1)
        return jnp.sum(kept**2) * jax.random.uniform(key), key

    return jax.value_and_grad(loss, has_aux=True)(x, key)


def _sampler(_: Any) -> Any:
    box = Box(key=jax.random.key(0))
    for i in range(8):
        yield Call(box, jax.random.split(jax.random.key(i), 3))


@cases.world(_sampler)
def keys_on_objects(box, keys):
    box.key, sub = jax.random.split(box.key)
    found = [jax.random.normal(k, (2,)) for k in keys]
    noise = jax.vmap(lambda x: x + jax.random.normal(sub))(vec(3))
    return found, noise, keys[1], keys.shape, isinstance(sub, jax.Array), {"key": sub}


# ---- complex numbers ----------------------------------------------------------------------------------


@cases.add(lambda i: (turned(4, i), turned(4, 1.0), mat(4, 4)), lambda: (turned(5), turned(5), mat(5, 5)))
def arithmetic(a, b, h):
    both = a + b, a - b, a * b, a / b, a**b, a**3, a**-2, -a, a == b, a != b, jnp.vdot(a, b), h @ a
    moved = a[::-1], jnp.where(a.real > 1, a, b), jnp.concatenate([a, b]), jnp.outer(a, b).T, a.at[0].set(1j)
    whole = (
        jnp.sum(a),
        jnp.prod(a),
        jnp.cumsum(a),
        jnp.mean(a),
        abs(a),
        a.real,
        a.imag,
        a.conj(),
        a + 2,
        1j * h,
    )
    return both, moved, whole, a


@cases.add(lambda i: (turned(4, i - 1.0),))
def functions(z):
    parts = jnp.angle(z), jnp.sign(z), jnp.isfinite(z), jnp.sqrt(z), jnp.log(z), jnp.exp(z)
    return (
        parts,
        jnp.sin(z),
        jnp.cos(z),
        jnp.tan(z),
        jnp.tanh(z),
        jnp.log1p(z),
        jnp.expm1(z),
        jax.nn.sigmoid(z),
    )


@cases.add(lambda i: (mat(6, 8, i), turned(12)))
def transforms(x, z):
    half = jnp.fft.rfft(x)
    long = jnp.fft.fft(jnp.tile(z, 10))  # longer than what is one product
    return (
        half,
        jnp.fft.irfft(half, n=7),
        jnp.fft.ifft2(x + 0j),
        jnp.fft.irfftn(half),
        long,
        jnp.fft.fft(z, n=5),
    )


@cases.add(lambda i: (jnp.complex64(0.3 * (i % 4) + 0.3j), 20))
def escapes(c, limit):
    z, n = jnp.zeros((), jnp.complex64), 0
    while n < limit and jnp.abs(z) < 2:
        z = z * z + c
        n += 1
    return z, n


@cases.add(signed)
def gradients(x):
    def loss(w):
        z = jnp.where(w > 0.6, w, 0.0) + 1j * jnp.where(w > 0.6, w**2, 0.0)
        f = jnp.fft.rfft(w)
        if jnp.abs(f).max() > 1:
            z = z * f[:1]
        smooth = jnp.sqrt(z + 2).real + jnp.tanh(z).imag + (z / (z + 3)).real + (z**2.5).imag
        return jnp.sum(smooth) + jnp.abs(z).sum() + jnp.sum(jnp.fft.irfft(f * f) ** 2)

    def second(w):
        return jnp.abs(jnp.exp(1j * w) * w).sum()

    return jax.value_and_grad(loss)(x), jax.grad(lambda w: jnp.sum(jax.grad(second)(w) ** 2))(x)


@cases.add(lambda i: (turned(1, i)[0], np.ones(2)), compiled=False)
def left_to_python(z, ones):
    return complex(z), bool(z), np.abs(z) * ones


test_program = cases.test()
