"""``while`` and ``scan`` as ``scf.while`` and ``scf.for``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jax.extend.core import Literal
from mlir import ir

from janus_mlir.capture.graph import TensorType
from janus_mlir.emit.jaxpr.avals import live_equations, open_jaxpr, tensor_type
from janus_mlir.emit.jaxpr.importer import Importer
from janus_mlir.emit.jaxpr.registry import rule

_SCALAR_I64 = TensorType("i64", ())


def _types(im: Importer, variables: Sequence[Any]) -> list[ir.Type]:
    return [im.builder.types(tensor_type(v.aval)) for v in variables]


# While


@dataclass(frozen=True, slots=True)
class _Counted:
    """A ``while`` that counts up by one: ``lax.fori_loop`` with bounds that are not known when traced.

    `counter` is the index of the counter among the carried values. The bound is carried unchanged, a constant
    of the condition, or a literal.
    """

    counter: int
    bound: Any


def _counted(eqn: Any) -> _Counted | None:
    params = eqn.params
    test, _ = open_jaxpr(params["cond_jaxpr"])
    body, _ = open_jaxpr(params["body_jaxpr"])
    n_test, n_body = params["cond_nconsts"], params["body_nconsts"]
    equations = live_equations(test)
    if len(equations) != 1 or equations[0].primitive.name != "lt" or test.outvars != equations[0].outvars:
        return None
    counter, bound = equations[0].invars
    carried = test.invars[n_test:]
    if isinstance(counter, Literal) or counter not in carried or bound is counter:
        return None
    if tensor_type(counter.aval) not in (TensorType("i32", ()), _SCALAR_I64):
        return None
    k = carried.index(counter)
    if not _is_increment(body, body.invars[n_body + k], body.outvars[k]):
        return None
    if not isinstance(bound, Literal) and bound in carried:
        j = carried.index(bound)
        if body.outvars[j] is not body.invars[n_body + j]:
            return None
    return _Counted(k, bound)


def _is_increment(jaxpr: Any, variable: Any, result: Any) -> bool:
    """Whether `result` is ``variable + 1``."""
    for eqn in jaxpr.eqns:
        if result in eqn.outvars:
            if eqn.primitive.name != "add":
                return False
            a, b = eqn.invars
            if isinstance(a, Literal):
                a, b = b, a
            return a is variable and isinstance(b, Literal) and np.ndim(b.val) == 0 and int(b.val) == 1
    return False


@rule("while", inner=lambda eqn: [eqn.params["cond_jaxpr"], eqn.params["body_jaxpr"]], keys=True)
def _while(im: Importer, eqn: Any) -> list[ir.Value]:
    counted = _counted(eqn)
    return _emit_while(im, eqn) if counted is None else _emit_counted(im, eqn, counted)


def _emit_while(im: Importer, eqn: Any) -> list[ir.Value]:
    builder = im.builder
    first = eqn.params["cond_nconsts"]
    second = first + eqn.params["body_nconsts"]
    args = im.args(eqn)
    test_consts, body_consts, carried = args[:first], args[first:second], args[second:]
    test, body = eqn.params["cond_jaxpr"], eqn.params["body_jaxpr"]
    pred = tensor_type(test.out_avals[0])
    types = _types(im, eqn.outvars)
    locs = [builder.loc] * len(types)
    op = builder.op("scf.while", carried, types, regions=2)

    with builder.inside(op.regions[0].blocks.append(*types, arg_locs=locs)) as block:
        values = list(block.arguments)
        (going,) = im.jaxpr(test, [*test_consts, *values])
        if pred.shape:  # a loop under vmap: it goes on while any of the batch does
            going = builder.lax1("reduce_or", [going], TensorType("i1", ()), axes=list(range(pred.rank)))
        going = builder.one("tensor.extract", [going], builder.i1)
        builder.op("scf.condition", [going, *values])

    with builder.inside(op.regions[1].blocks.append(*types, arg_locs=locs)) as block:
        values = list(block.arguments)
        results = im.jaxpr(body, [*body_consts, *values])
        if pred.shape:  # what has finished keeps its values
            (going,) = im.jaxpr(test, [*test_consts, *values])
            results = [
                _select_leading(im, going, pred, old, new, tensor_type(v.aval))
                for old, new, v in zip(values, results, eqn.outvars, strict=True)
            ]
        builder.op("scf.yield", results)
    return list(op.results)


def _select_leading(
    im: Importer, which: ir.Value, which_type: TensorType, old: ir.Value, new: ir.Value, type: TensorType
) -> ir.Value:
    mask = TensorType("i1", type.shape)
    if which_type != mask:
        dims = list(range(which_type.rank))
        which = im.builder.lax1("broadcast_in_dim", [which], mask, broadcast_dimensions=dims)
    return im.builder.lax1("select_n", [which, old, new], type)


def _emit_counted(im: Importer, eqn: Any, counted: _Counted) -> list[ir.Value]:
    builder = im.builder
    params = eqn.params
    first = params["cond_nconsts"]
    second = first + params["body_nconsts"]
    args = im.args(eqn)
    body_consts, carried = args[first:second], args[second:]
    test, _ = open_jaxpr(params["cond_jaxpr"])
    bound = counted.bound
    limit = (
        im.read(bound)
        if isinstance(bound, Literal)
        else dict(zip(test.invars, [*args[:first], *carried], strict=True))[bound]
    )
    k = counted.counter
    start = carried[k]
    counter = tensor_type(eqn.outvars[k].aval)

    lower, upper = (
        builder.to_index(builder.one("tensor.extract", [value], builder.element(counter.dtype)))
        for value in (start, limit)
    )
    types = _types(im, eqn.outvars)
    rest = [j for j in range(len(types)) if j != k]
    inner = [types[j] for j in rest]
    op = builder.op(
        "scf.for", [lower, upper, builder.index_constant(1), *(carried[j] for j in rest)], inner, regions=1
    )
    locs = [builder.loc] * (1 + len(inner))
    with builder.inside(op.regions[0].blocks.append(builder.index, *inner, arg_locs=locs)) as block:
        step, *values = block.arguments
        values.insert(k, builder.from_index(step, counter))
        results = im.jaxpr(params["body_jaxpr"], [*body_consts, *values])
        builder.op("scf.yield", [results[j] for j in rest])
    outputs = list(op.results)
    outputs.insert(k, builder.lax1("max", [start, limit], counter))
    return outputs


# Scan


def _scan_parts(eqn: Any) -> tuple[int, int]:
    """Return how many operands of a scan are constants and how many are carried."""
    params = eqn.params
    if "num_consts" in params:
        return params["num_consts"], params["num_carry"]
    # Since JAX 0.11 a tree says so.
    consts, carried, _ = params["ft_in"].update(list(eqn.invars)).unpack()
    return len(list(consts)), len(list(carried))


@rule("scan", inner=lambda eqn: [eqn.params["jaxpr"]], keys=True)
def _scan(im: Importer, eqn: Any) -> list[ir.Value]:
    builder = im.builder
    params = eqn.params
    n_consts, n_carried = _scan_parts(eqn)
    first, second = n_consts, n_consts + n_carried
    args = im.args(eqn)
    consts, carried, sequences = args[:first], args[first:second], args[second:]
    sequence_types = [tensor_type(v.aval) for v in eqn.invars[second:]]
    stack_types = [tensor_type(v.aval) for v in eqn.outvars[n_carried:]]
    stacks = [builder.zeros(type) for type in stack_types]  # every element will be overwritten
    zero, one = builder.index_constant(0), builder.index_constant(1)
    length = builder.extents.value(params["length"])

    # Counters are computed from the induction variable instead of carried.
    body, _ = open_jaxpr(params["jaxpr"])
    counters = [
        k
        for k in range(n_carried)
        if tensor_type(eqn.outvars[k].aval) in (TensorType("i32", ()), _SCALAR_I64)
        and _is_increment(body, body.invars[first + k], body.outvars[k])
    ]
    kept = [k for k in range(n_carried) if k not in counters]
    types = _types(im, [*(eqn.outvars[k] for k in kept), *eqn.outvars[n_carried:]])

    op = builder.op("scf.for", [zero, length, one, *(carried[k] for k in kept), *stacks], types, regions=1)
    locs = [builder.loc] * (1 + len(types))
    with builder.inside(op.regions[0].blocks.append(builder.index, *types, arg_locs=locs)) as block:
        step, *values = block.arguments
        values, stacks = values[: len(kept)], values[len(kept) :]
        for k in counters:
            values.insert(k, _counter(im, carried[k], step, tensor_type(eqn.outvars[k].aval)))
        if params["reverse"]:
            last = builder.one("arith.subi", [length, one], builder.index)
            step = builder.one("arith.subi", [last, step], builder.index)
        place = builder.from_index(step, _SCALAR_I64)
        items = [_item(im, s, type, place) for s, type in zip(sequences, sequence_types, strict=True)]
        results = im.jaxpr(params["jaxpr"], [*consts, *values, *items])
        stacked = [
            _with_item(im, stack, type, place, item)
            for stack, type, item in zip(stacks, stack_types, results[n_carried:], strict=True)
        ]
        builder.op("scf.yield", [*(results[k] for k in kept), *stacked])
    outputs = list(op.results)
    for k in counters:
        outputs.insert(k, _counter(im, carried[k], length, tensor_type(eqn.outvars[k].aval)))
    return outputs


def _counter(im: Importer, start: ir.Value, steps: ir.Value, type: TensorType) -> ir.Value:
    """Return what a counter that starts at `start` holds after some steps."""
    return im.builder.lax1("add", [start, im.builder.from_index(steps, type)], type)


def _starts(im: Importer, place: ir.Value, rank: int) -> list[ir.Value]:
    zero = im.builder.constant(np.int64(0), _SCALAR_I64)
    return [place] + [zero] * (rank - 1)


def _item(im: Importer, sequence: ir.Value, type: TensorType, place: ir.Value) -> ir.Value:
    window = TensorType(type.dtype, (1, *type.shape[1:]))
    starts = _starts(im, place, type.rank)
    taken = im.builder.lax1("dynamic_slice", [sequence, *starts], window)
    return im.builder.lax1("squeeze", [taken], TensorType(type.dtype, type.shape[1:]), dimensions=[0])


def _with_item(im: Importer, stack: ir.Value, type: TensorType, place: ir.Value, item: ir.Value) -> ir.Value:
    window = TensorType(type.dtype, (1, *type.shape[1:]))
    update = im.builder.lax1("expand_dims", [item], window, dimensions=[0])
    return im.builder.lax1("dynamic_update_slice", [stack, update, *_starts(im, place, type.rank)], type)
