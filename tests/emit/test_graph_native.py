"""Graphs through the native path: numbers, control flow, exits and records."""

from __future__ import annotations

from typing import Any

import numpy as np
from emit import native

from janus_mlir.capture.graph import BOOL, FLOAT, INT, Block, Builder, Graph, TensorType, Value
from janus_mlir.compile import compile_graph

VECTOR = TensorType("f32", (4,))


def _run(builder: Builder, *arguments: Any) -> tuple[int, list[tuple[int, list[Any]]]]:
    compiled = compile_graph(builder.graph, symbols=native.symbols())
    return native.Call().run(builder.graph, compiled.address, arguments)


def _return(builder: Builder, *values: Value) -> None:
    builder.graph.return_site = 0
    builder.op("return", list(values))


def test_numbers() -> None:
    builder = Builder(Graph("f"))
    n, x, flag = builder.input(INT, "n"), builder.input(FLOAT, "x"), builder.input(BOOL, "flag")
    total, overflow = builder.op("janus.add_overflow", [n, n], [INT, BOOL])
    product = builder.one("arith.mulf", [x, x], FLOAT)
    both = builder.one("arith.andi", [flag, overflow], BOOL)
    root = builder.one("math.sqrt", [product], FLOAT)
    _return(builder, total, overflow, both, root)
    assert _run(builder, 21, -1.5, True) == (0, [(0, [42, 0, 0, 1.5])])
    assert _run(builder, 2**62, 2.0, True) == (0, [(0, [-(2**63), 1, 1, 2.0])])


def test_guard_leaves_with_live_values() -> None:
    builder = Builder(Graph("f"))
    x, n = builder.input(VECTOR, "x"), builder.input(INT, "n")
    zero = builder.one("constant", [], INT, value=0)
    y = builder.one("lax.add", [x, x], VECTOR)
    builder.op("janus.record", [y], site=5, text="model.y = y")
    positive = builder.one("arith.cmpi", [n, zero], BOOL, predicate="sgt")
    builder.op("janus.guard", [positive, y, n], kind="branch", site=3)
    z = builder.one("lax.mul", [y, y], VECTOR)
    _return(builder, z)
    values = np.arange(4, dtype=np.float32)

    status, records = _run(builder, values, 1)
    assert status == 0
    assert [site for site, _ in records] == [5, 0]
    np.testing.assert_array_equal(records[1][1][0], 4 * values**2)

    status, records = _run(builder, values, -1)
    assert status == 4
    assert [site for site, _ in records] == [5, 3]
    np.testing.assert_array_equal(records[1][1][0], 2 * values)
    assert records[1][1][1] == -1


def _sum_to(builder: Builder, limit: Value, leave_at: Value | None = None) -> list[Value]:
    """Emit ``while i < limit: i += 1; total += i``, which leaves the function when i is `leave_at`."""
    zero, one = (builder.one("constant", [], INT, value=k) for k in (0, 1))
    before, after = Block([Value(INT), Value(INT)]), Block([Value(INT), Value(INT)])
    with builder.inside(before):
        going = builder.one("arith.cmpi", [before.args[0], limit], BOOL, predicate="slt")
        builder.op("condition", [going, *before.args])
    with builder.inside(after):
        i = builder.one("arith.addi", [after.args[0], one], INT)
        total = builder.one("arith.addi", [after.args[1], i], INT)
        if leave_at is not None:
            here = builder.one("arith.cmpi", [i, leave_at], BOOL, predicate="eq")
            then, orelse = Block(), Block()
            with builder.inside(then):
                builder.op("janus.leave", [total], site=7)
                builder.op("yield", [])
            with builder.inside(orelse):
                builder.op("yield", [])
            builder.op("scf.if", [here], [], regions=[then, orelse])
        builder.op("yield", [i, total])
    return builder.op("scf.while", [zero, zero], [INT, INT], regions=[before, after])


def test_while() -> None:
    builder = Builder(Graph("f"))
    n = builder.input(INT, "n")
    _return(builder, *_sum_to(builder, n))
    assert _run(builder, 10) == (0, [(0, [10, 55])])
    assert _run(builder, 0) == (0, [(0, [0, 0])])


def test_early_return_from_a_loop() -> None:
    builder = Builder(Graph("f"))
    n, stop = builder.input(INT, "n"), builder.input(INT, "stop")
    _return(builder, *_sum_to(builder, n, stop))
    assert _run(builder, 10, 4) == (0, [(7, [10])])
    assert _run(builder, 10, 40) == (0, [(0, [10, 55])])


def test_tensor_carried_through_a_loop() -> None:
    builder = Builder(Graph("f"))
    x, n = builder.input(VECTOR, "x"), builder.input(INT, "n")
    zero, one = (builder.one("constant", [], INT, value=k) for k in (0, 1))
    body = Block([Value(INT), Value(VECTOR), Value(VECTOR)])
    with builder.inside(body):
        _, a, b = body.args
        builder.op("yield", [b, builder.one("lax.add", [a, b], VECTOR)])
    a, b = builder.op("scf.for", [zero, n, one, x, x], [VECTOR, VECTOR], regions=[body])
    _return(builder, a, b, x)
    values = np.arange(4, dtype=np.float32)
    status, ((_, (a, b, same)),) = _run(builder, values, 5)
    assert status == 0
    np.testing.assert_array_equal(a, 8 * values)
    np.testing.assert_array_equal(b, 13 * values)
    np.testing.assert_array_equal(same, values)


def test_branch_between_tensors() -> None:
    builder = Builder(Graph("f"))
    x = builder.input(VECTOR, "x")
    total = builder.one("lax.reduce_sum", [x], TensorType("f32", ()), axes=(0,))
    positive = builder.one("janus.truth", [total], BOOL)
    then, orelse = Block(), Block()
    with builder.inside(then):
        builder.op("yield", [builder.one("lax.neg", [x], VECTOR)])
    with builder.inside(orelse):
        builder.op("janus.deopt", [x], reason="JN301", site=2)
        builder.op("yield", [builder.one("poison", [], VECTOR)])
    (y,) = builder.op("scf.if", [positive], [VECTOR], regions=[then, orelse], profile=(3, 0))
    _return(builder, y)
    values = np.arange(4, dtype=np.float32)
    status, ((site, (y,)),) = _run(builder, values)
    assert (status, site) == (0, 0)
    np.testing.assert_array_equal(y, -values)
    status, ((site, (y,)),) = _run(builder, 0 * values)
    assert (status, site) == (3, 2)
    np.testing.assert_array_equal(y, 0 * values)


def test_extraction() -> None:
    builder = Builder(Graph("f"))
    u, b = builder.input(TensorType("ui8", ()), "u"), builder.input(TensorType("i1", ()), "b")
    i = builder.input(TensorType("i32", ()), "i")
    f = builder.input(TensorType("f32", ()), "f")
    wide = builder.one("lax.convert_element_type", [f], TensorType("f64", ()))
    numbers = [
        builder.one("tensor.extract", [u], INT),
        builder.one("tensor.extract", [b], BOOL),
        builder.one("tensor.extract", [i], INT),
        builder.one("tensor.extract", [wide], FLOAT),
    ]
    back = builder.one("tensor.from_elements", [numbers[3]], TensorType("f64", ()))
    _return(builder, *numbers, back)
    arguments = (np.uint8(200), np.bool_(True), np.int32(-7), np.float32(0.5))
    status, ((_, values),) = _run(builder, *arguments)
    assert status == 0
    assert values[:4] == [200, 1, -7, 0.5]
    assert values[4] == 0.5


def test_always_leaves() -> None:
    builder = Builder(Graph("f"))
    n = builder.input(INT, "n")
    builder.op("janus.deopt", [n], reason="JN301", site=4)
    builder.op("return", [])
    assert _run(builder, 9) == (5, [(4, [9])])
