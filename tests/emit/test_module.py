"""Graphs of every kind of op, as MLIR."""

from __future__ import annotations

import jax
import jax.export
import numpy as np
import pytest

from janus_mlir.capture.graph import BOOL, FLOAT, INT, Block, Builder, Graph, TensorType
from janus_mlir.emit import EmitError, emit_module
from janus_mlir.locations import Span

F32 = TensorType("f32", ())
VECTOR = TensorType("f32", (4,))


def _finish(builder: Builder, values: list) -> str:
    builder.graph.return_site = 0
    builder.op("return", values)
    return str(emit_module(builder.graph))


def test_arguments_and_constants() -> None:
    builder = Builder(Graph("f"))
    x = builder.input(VECTOR, "model.w")
    n = builder.input(INT, "n")
    one = builder.one("constant", [], INT, value=1)
    half = builder.one("constant", [], FLOAT, value=0.5)
    yes = builder.one("constant", [], BOOL, value=True)
    weights = builder.one("constant", [], VECTOR, value=np.arange(4, dtype=np.float32))
    ones = builder.one("constant", [], TensorType("i1", (3,)), value=np.array([True, True, True]))
    total, flag = builder.op("janus.add_overflow", [n, one], [INT, BOOL])
    y = builder.one("lax.add", [x, weights], VECTOR)
    text = _finish(builder, [y, total, flag, half, yes, ones])
    assert 'janus.source = "model.w"' in text
    assert "dense<[0.000000e+00, 1.000000e+00, 2.000000e+00, 3.000000e+00]>" in text
    assert "dense<true> : tensor<3xi1>" in text
    assert "janus.add_overflow" in text
    assert "janus.entry" in text and "janus.return_site = 0 : i32" in text


def test_guards_and_exits() -> None:
    builder = Builder(Graph("f"))
    x = builder.input(VECTOR, "x")
    n = builder.input(INT, "n")
    zero = builder.one("constant", [], INT, value=0)
    positive = builder.one("arith.cmpi", [n, zero], BOOL, predicate="sgt")
    builder.op("janus.guard", [positive, x, n], kind="branch", site=3)
    builder.op("janus.record", [x], site=4, text="model.c = x")
    then, orelse = Block(), Block()
    with builder.inside(then):
        builder.op("janus.leave", [n], site=5)
        nowhere = builder.one("poison", [], VECTOR)
        builder.op("yield", [nowhere])
    with builder.inside(orelse):
        builder.op("yield", [x])
    (y,) = builder.op("scf.if", [positive], [VECTOR], regions=[then, orelse], profile=(97, 3))
    builder.op("janus.deopt", [y], reason="JN301", site=6)
    builder.op("return", [])
    text = str(emit_module(builder.graph))
    assert "janus.guard %0, <branch>, site 3 (%arg0, %arg1 : tensor<4xf32>, i64)" in text
    assert 'janus.record site 4 (%arg0 : tensor<4xf32>) {janus.text = "model.c = x"}' in text
    assert "janus.leave site 5 (%arg1 : i64)" in text
    assert 'janus.deopt "JN301", site 6' in text
    assert "#janus.branch<taken = 97, not_taken = 3>" in text
    assert "ub.poison" in text


def test_loops() -> None:
    builder = Builder(Graph("f"))
    n = builder.input(INT, "n")
    zero = builder.one("constant", [], INT, value=0)
    one = builder.one("constant", [], INT, value=1)

    before, after = Block(), Block()
    before.args = [type(n)(INT)]
    after.args = [type(n)(INT)]
    with builder.inside(before):
        going = builder.one("arith.cmpi", [before.args[0], n], BOOL, predicate="slt")
        builder.op("condition", [going, before.args[0]])
    with builder.inside(after):
        builder.op("yield", [builder.one("arith.addi", [after.args[0], one], INT)])
    (count,) = builder.op("scf.while", [zero], [INT], regions=[before, after], trips=(1, 9, 1))

    body = Block()
    body.args = [type(n)(INT), type(n)(FLOAT)]
    with builder.inside(body):
        as_float = builder.one("arith.sitofp", [body.args[0]], FLOAT)
        builder.op("yield", [builder.one("arith.addf", [body.args[1], as_float], FLOAT)])
    start = builder.one("constant", [], FLOAT, value=0.0)
    (total,) = builder.op("scf.for", [zero, n, one, start], [FLOAT], regions=[body], trips=(2, 3, 40))
    text = _finish(builder, [count, total])
    assert "#janus.trips<min = 1, max = 9>" in text
    assert "scf.for" in text and ": i64" in text


def test_numbers_and_tensors() -> None:
    builder = Builder(Graph("f"))
    x = builder.input(TensorType("ui8", ()), "x")
    flag = builder.input(TensorType("i1", (1,)), "flag")
    number = builder.one("tensor.extract", [x], INT)
    truth = builder.one("janus.truth", [flag], BOOL)
    half = builder.input(FLOAT, "half")
    back = builder.one("tensor.from_elements", [half], TensorType("f64", ()))
    root = builder.one("math.sqrt", [half], FLOAT)
    text = _finish(builder, [number, truth, back, root])
    assert "arith.extui" in text
    assert "math.sqrt" in text


def test_symbolic_extents() -> None:
    (b,) = jax.export.symbolic_shape("b")
    builder = Builder(Graph("f"))
    x = builder.input(TensorType("f32", (b, 4)), "x")
    count = builder.one("dim", [], INT, expr=2 * b + 1)
    flat = builder.one("lax.reshape", [x], TensorType("f32", (4 * b,)))
    tail = builder.one(
        "lax.slice",
        [x],
        TensorType("f32", (b - 1, 4)),
        start_indices=(1, 0),
        limit_indices=(b, 4),
        strides=(1, 1),
    )
    half = builder.one("dim", [], INT, expr=b // 2 + b % 3)
    text = _finish(builder, [count, flat, tail, half])
    assert text.count("tensor.dim") == 1
    assert 'janus.dims = ["b", ""]' in text
    assert "limit = [%dim, 4]" in text
    assert "arith.floordivsi" in text


def test_undefined_extent() -> None:
    (b,) = jax.export.symbolic_shape("b")
    builder = Builder(Graph("f"))
    count = builder.one("dim", [], INT, expr=b)
    with pytest.raises(EmitError, match="extent 'b'"):
        _finish(builder, [count])


def test_locations() -> None:
    builder = Builder(Graph("f"))
    x = builder.input(F32, "x")
    builder.span = Span("model.py", 7, 4, 7, 9)
    builder.callers = (Span("train.py", 3, 0, 3, 5),)
    y = builder.one("lax.neg", [x], F32)
    builder.graph.return_site = 0
    builder.op("return", [y])
    asm = emit_module(builder.graph).module.operation.get_asm(enable_debug_info=True)
    assert '"model.py":7:5' in asm
    assert "callsite(" in asm and '"train.py":3:1' in asm
    assert 'loc("x")' in asm
