"""Loops whose iterations only run time knows, recursion and scalars, run natively."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from autodiff.harness import run_text

_ENTRY = "attributes {janus.entry, janus.return_site = 0 : i32}"


def _entry(callee: str, inputs: list[str], outputs: list[str], wrt: list[int]) -> str:
    """Return the text of an entry that asks for the results and gradients of `callee`."""
    results = [*outputs, *(inputs[i] for i in wrt)]
    arguments = ", ".join(f"%x{i}: {t}" for i, t in enumerate(inputs))
    names = ", ".join(f"%x{i}" for i in range(len(inputs)))
    values = ", ".join(f"%r#{i}" for i in range(len(results)))
    return (
        f"func.func @f({arguments}) -> ({', '.join(results)}) {_ENTRY} {{\n"
        f"  %r:{len(results)} = janus.value_and_grad @{callee}({names})"
        f" {{wrt = array<i64: {', '.join(map(str, wrt))}>}} : ({', '.join(inputs)}) -> ({', '.join(results)})\n"
        f"  return {values} : {', '.join(results)}\n}}\n"
    )


_WHILE = """
func.func private @loss(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<f32> {
  %limit = arith.constant dense<30.0> : tensor<f32>
  %z = scf.while (%a = %x) : (tensor<4xf32>) -> tensor<4xf32> {
    %q = lax.mul %a, %a : tensor<4xf32>
    %s = lax.reduce_sum %q axes = [0] : tensor<4xf32> -> tensor<f32>
    %less = lax.lt %s, %limit : tensor<f32>
    %p = janus.truth %less : tensor<i1>
    scf.condition(%p) %q : tensor<4xf32>
  } do {
  ^bb0(%q: tensor<4xf32>):
    %s = lax.sin %q : tensor<4xf32>
    %t = lax.add %s, %y : tensor<4xf32>
    %u = lax.add %t, %q : tensor<4xf32>
    scf.yield %u : tensor<4xf32>
  }
  %w = lax.mul %z, %y : tensor<4xf32>
  %r = lax.reduce_sum %w axes = [0] : tensor<4xf32> -> tensor<f32>
  return %r : tensor<f32>
}
"""


def test_while_computes_in_its_condition() -> None:
    def loss(x: Any, y: Any) -> Any:
        a = x
        while True:
            q = a * a
            if q.sum() >= 30:
                return (q * y).sum()
            a = jnp.sin(q) + y + q

    text = _entry("loss", ["tensor<4xf32>", "tensor<4xf32>"], ["tensor<f32>"], [0, 1]) + _WHILE
    y = np.array([0.3, 0.1, 0.2, 0.4], np.float32)
    for scale in (0.1, 1.0, 4.0):
        x = scale * np.array([1, 2, 0.5, -1], np.float32)
        value, slopes = jax.value_and_grad(loss, (0, 1))(x, y)
        for ours, theirs in zip(run_text(text, x, y), (value, *slopes), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


_RECURSION = """
func.func private @loss(%x: tensor<4xf32>, %w: tensor<4xf32>, %n: i64) -> tensor<f32> {
  %y = func.call @rec(%x, %w, %n) : (tensor<4xf32>, tensor<4xf32>, i64) -> tensor<4xf32>
  %z = lax.mul %y, %w : tensor<4xf32>
  %r = lax.reduce_sum %z axes = [0] : tensor<4xf32> -> tensor<f32>
  return %r : tensor<f32>
}
func.func private @rec(%x: tensor<4xf32>, %w: tensor<4xf32>, %n: i64) -> tensor<4xf32> attributes {no_inline} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %last = arith.cmpi sle, %n, %c0 : i64
  %y = scf.if %last -> (tensor<4xf32>) {
    scf.yield %x : tensor<4xf32>
  } else {
    %m = arith.subi %n, %c1 : i64
    %z = lax.mul %x, %w : tensor<4xf32>
    %t = lax.tanh %z : tensor<4xf32>
    %a = func.call @rec(%t, %w, %m) : (tensor<4xf32>, tensor<4xf32>, i64) -> tensor<4xf32>
    %k = arith.subi %m, %c1 : i64
    %b = func.call @rec(%x, %w, %k) : (tensor<4xf32>, tensor<4xf32>, i64) -> tensor<4xf32>
    %q = lax.mul %a, %b : tensor<4xf32>
    scf.yield %q : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}
"""


def test_recursion() -> None:
    def rec(x: Any, w: Any, n: int) -> Any:
        if n <= 0:
            return x
        return rec(jnp.tanh(x * w), w, n - 1) * rec(x, w, n - 2)

    text = _entry("loss", ["tensor<4xf32>", "tensor<4xf32>", "i64"], ["tensor<f32>"], [0, 1]) + _RECURSION
    x, w = np.array([1, 0.5, -1, 0.3], np.float32), np.array([0.7, 1.5, 1.0, -1.2], np.float32)
    for n in (0, 1, 4):
        value, slopes = jax.value_and_grad(lambda x, w, n=n: (rec(x, w, n) * w).sum(), (0, 1))(x, w)
        for ours, theirs in zip(run_text(text, x, w, n), (value, *slopes), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


_SCALARS = """
func.func private @loss(%x: f64, %y: f64, %n: i64) -> (f64, i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %z = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> (f64) : i64 {
    %s = math.sin %a : f64
    %p = arith.mulf %s, %y : f64
    %q = arith.addf %p, %a : f64
    scf.yield %q : f64
  }
  %big = arith.cmpf ogt, %z, %y : f64
  %r = scf.if %big -> (f64) {
    %e = math.sqrt %z : f64
    scf.yield %e : f64
  } else {
    %e = arith.divf %z, %y : f64
    scf.yield %e : f64
  }
  return %r, %n : f64, i64
}
"""


def test_scalars() -> None:
    def loss(x: Any, y: Any, n: int) -> Any:
        z = x
        for _ in range(n):
            z = jnp.sin(z) * y + z
        return jnp.sqrt(z) if z > y else z / y

    text = _entry("loss", ["f64", "f64", "i64"], ["f64", "i64"], [0, 1]) + _SCALARS
    with jax.enable_x64(True):
        for x, y, n in ((0.5, 0.4, 3), (0.5, 2.5, 0), (1.5, 0.9, 6)):
            value, slopes = jax.value_and_grad(loss, (0, 1))(x, y, n)
            ours = run_text(text, x, y, n)
            assert ours[1] == n
            np.testing.assert_allclose([ours[0], *ours[2:]], [value, *slopes], rtol=1e-12)
