"""Differentiates JAX functions by ``janus-differentiate`` and compares with ``jax.vjp``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from codegen.harness import Compiled
from emit.harness import call_graph
from mlir import ir

from janus_mlir.emit import emit_module, new_context

__all__ = ["check", "gradients", "module_text", "run_text"]


def module_text(function: Callable[..., Any], args: Sequence[Any], wrt: Sequence[int]) -> str:
    """Return a module whose entry asks for the value and gradients of `function`, which is traced by JAX."""
    jaxpr = jax.make_jaxpr(function)(*args)
    built = emit_module(call_graph(jaxpr, "loss"), new_context())
    with built.context, ir.Location.unknown():
        (loss,) = built.module.body.operations
        type = ir.FunctionType(ir.TypeAttr(loss.attributes["function_type"]).value)
        for name in ("janus.entry", "janus.return_site", "arg_attrs"):
            if name in loss.attributes:
                del loss.attributes[name]
        loss.attributes["sym_visibility"] = ir.StringAttr.get("private")
        inputs = [str(t) for t in type.inputs]
        outputs = [str(t) for t in type.results] + [inputs[i] for i in wrt]
        values = ", ".join(f"%x{i}: {t}" for i, t in enumerate(inputs))
        names = ", ".join(f"%x{i}" for i in range(len(inputs)))
        results = ", ".join(f"%r#{i}" for i in range(len(outputs)))
        entry = (
            f"func.func @f({values}) -> ({', '.join(outputs)})"
            f" attributes {{janus.entry, janus.return_site = 0 : i32}} {{\n"
            f"  %r:{len(outputs)} = janus.value_and_grad @loss({names}) {{wrt = array<i64: {', '.join(map(str, wrt))}>}}"
            f" : ({', '.join(inputs)}) -> ({', '.join(outputs)})\n"
            f"  return {results} : {', '.join(outputs)}\n}}\n"
        )
        return entry + str(loss)


def run_text(text: str, *args: Any) -> tuple[Any, ...]:
    """Compile a module, call its entry and check that nothing is left on the tape."""
    compiled = Compiled(text)
    status, journal = compiled.run(*(_contiguous(a) for a in args))
    assert status == 0, status
    assert not any(journal.tapes.values()), "something is left on the tape"
    return tuple(journal.records[-1][1])


def _contiguous(value: Any) -> Any:
    return np.ascontiguousarray(value) if isinstance(value, np.ndarray) and value.ndim else value


def gradients(function: Callable[..., Any], args: Sequence[Any], wrt: Sequence[int], shapes: Any) -> Any:
    """Return the value and the gradients of a scalar function."""
    return run_text(module_text(function, shapes or args, wrt), *args)


def check(
    function: Callable[..., Any],
    *args: Any,
    shapes: Any = None,
    tolerance: float | None = None,
    order: int = 1,
) -> None:
    """Compare gradients of a weighted sum of the results, with respect to all float arguments, with JAX's.

    Of order 2, those of the sum of the squares of these gradients.
    """
    with jax.enable_x64(True):
        given = [jnp.asarray(a) for a in args]
        outputs = [
            o
            for o in jax.tree.leaves(jax.eval_shape(function, *given))
            if jnp.issubdtype(o.dtype, jnp.floating)
        ]
        rng = np.random.default_rng(0)
        weights = [rng.standard_normal(o.shape).astype(o.dtype) for o in outputs]
        wrt = [i for i, a in enumerate(args) if np.asarray(a).dtype.kind == "f"]

        def loss(*args: Any) -> Any:
            results = [o for o in jax.tree.leaves(function(*args)) if jnp.issubdtype(o.dtype, jnp.floating)]
            total = 0.0
            for k, (o, w) in enumerate(zip(results, weights, strict=True)):
                # Weights of the shapes of this call, from few numbers.
                scale = w if shapes is None else jnp.asarray(1.0 + k, o.dtype)
                total = total + jnp.sum(o * scale).astype(args[wrt[0]].dtype)
            return total

        def second(*args: Any) -> Any:
            slopes = jax.grad(loss, argnums=tuple(wrt))(*args)
            return sum(jnp.sum(jnp.sin(s) * s) for s in slopes).astype(args[wrt[0]].dtype)

        target = loss if order == 1 else second
        # One compilation, where eager JAX would compile each op.
        value, expected = jax.jit(jax.value_and_grad(target, argnums=tuple(wrt)))(*given)
        actual = gradients(target, args, wrt, shapes)
    for a, e in zip(actual, [value, *expected], strict=True):
        e = np.asarray(e)
        a = np.asarray(a)
        assert a.shape == e.shape
        assert a.dtype == e.dtype
        close = tolerance or {8: 1e-10, 4: 2e-5, 2: 5e-2}[e.dtype.itemsize]
        np.testing.assert_allclose(a, e, rtol=close, atol=close)
