"""Calls, which are inlined, and structured control flow, which becomes ``scf``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mlir import ir

from janus_mlir.capture.graph import TensorType
from janus_mlir.emit.builder import predicate
from janus_mlir.emit.jaxpr.avals import tensor_type
from janus_mlir.emit.jaxpr.elementwise import platform_index
from janus_mlir.emit.jaxpr.importer import Importer
from janus_mlir.emit.jaxpr.registry import rule

_SCALAR_I64 = TensorType("i64", ())


def _callee(eqn: Any) -> Any:
    for name in ("jaxpr", "call_jaxpr", "fun_jaxpr", "call"):
        if name in eqn.params:
            return eqn.params[name]
    raise AssertionError(f"{eqn.primitive.name} has no jaxpr among {sorted(eqn.params)}")


@rule(
    "jit", "pjit", "closed_call", "core_call", "core_closed_call", "call", "remat", "remat2", "checkpoint",
    "custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr", "custom_vmap_call", "composite",
    inner=lambda eqn: [_callee(eqn)],
    keys=True,
)  # fmt: skip
def _call(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.jaxpr(_callee(eqn), im.args(eqn))


def _types(im: Importer, variables: Sequence[Any]) -> list[ir.Type]:
    return [im.builder.types(tensor_type(v.aval)) for v in variables]


def _yield(im: Importer, values: Sequence[ir.Value]) -> None:
    im.builder.op("scf.yield", values)


def _branches(eqn: Any) -> Sequence[Any]:
    """Return the branches that may run here: one alone if they are for different platforms."""
    branches: Sequence[Any] = eqn.params["branches"]
    platforms = eqn.params.get("branches_platforms")
    return branches if platforms is None else [branches[platform_index(platforms)]]


@rule("cond", inner=_branches, keys=True)
def _cond(im: Importer, eqn: Any) -> list[ir.Value]:
    builder = im.builder
    index, *operands = im.args(eqn)
    branches = _branches(eqn)
    if len(branches) == 1:
        return im.jaxpr(branches[0], operands)
    index_type = tensor_type(eqn.invars[0].aval)
    number = builder.one("tensor.extract", [index], builder.element(index_type.dtype))
    types = _types(im, eqn.outvars)

    def chain(first: int) -> list[ir.Value]:
        """Emit the choice among the branches from `first` on; what is out of range takes the last."""
        if first == len(branches) - 1:
            return im.jaxpr(branches[first], operands)
        if index_type.dtype == "i1":
            is_other = number
        else:
            here = builder.number(number.type, first)
            is_other = builder.one(
                "arith.cmpi", [number, here], builder.i1, {"predicate": predicate("arith.cmpi", "ne")}
            )
        op = builder.op("scf.if", [is_other], types, regions=2)
        with builder.inside(op.regions[0].blocks.append()):
            _yield(im, chain(first + 1))
        with builder.inside(op.regions[1].blocks.append()):
            _yield(im, im.jaxpr(branches[first], operands))
        return list(op.results)

    return chain(0)


def _while_parts(eqn: Any) -> tuple[int, int]:
    cond_consts: int = eqn.params["cond_nconsts"]
    body_consts: int = eqn.params["body_nconsts"]
    return cond_consts, cond_consts + body_consts


@rule("while", inner=lambda eqn: [eqn.params["cond_jaxpr"], eqn.params["body_jaxpr"]], keys=True)
def _while(im: Importer, eqn: Any) -> list[ir.Value]:
    builder = im.builder
    first, second = _while_parts(eqn)
    args = im.args(eqn)
    cond_consts, body_consts, carried = args[:first], args[first:second], args[second:]
    test, body = eqn.params["cond_jaxpr"], eqn.params["body_jaxpr"]
    pred = tensor_type(test.out_avals[0])
    types = _types(im, eqn.outvars)
    locs = [builder.loc] * len(types)
    op = builder.op("scf.while", carried, types, regions=2)

    with builder.inside(op.regions[0].blocks.append(*types, arg_locs=locs)) as block:
        values = list(block.arguments)
        (going,) = im.jaxpr(test, [*cond_consts, *values])
        if pred.shape:  # a loop under vmap: it goes on while any of the batch does
            going = builder.lax1("reduce_or", [going], TensorType("i1", ()), axes=list(range(pred.rank)))
        going = builder.one("tensor.extract", [going], builder.i1)
        builder.op("scf.condition", [going, *values])

    with builder.inside(op.regions[1].blocks.append(*types, arg_locs=locs)) as block:
        values = list(block.arguments)
        results = im.jaxpr(body, [*body_consts, *values])
        if pred.shape:  # what has finished keeps its values
            (going,) = im.jaxpr(test, [*cond_consts, *values])
            results = [
                _select_leading(im, going, pred, old, new, tensor_type(v.aval))
                for old, new, v in zip(values, results, eqn.outvars, strict=True)
            ]
        _yield(im, results)
    return list(op.results)


def _select_leading(
    im: Importer, which: ir.Value, which_type: TensorType, old: ir.Value, new: ir.Value, type: TensorType
) -> ir.Value:
    mask = TensorType("i1", type.shape)
    if which_type != mask:
        dims = list(range(which_type.rank))
        which = im.builder.lax1("broadcast_in_dim", [which], mask, broadcast_dimensions=dims)
    return im.builder.lax1("select_n", [which, old, new], type)


@rule("scan", inner=lambda eqn: [eqn.params["jaxpr"]], keys=True)
def _scan(im: Importer, eqn: Any) -> list[ir.Value]:
    builder = im.builder
    params = eqn.params
    n_consts, n_carried = params["num_consts"], params["num_carry"]
    args = im.args(eqn)
    consts, carried, sequences = (
        args[:n_consts],
        args[n_consts : n_consts + n_carried],
        args[n_consts + n_carried :],
    )
    sequence_types = [tensor_type(v.aval) for v in eqn.invars[n_consts + n_carried :]]
    stack_types = [tensor_type(v.aval) for v in eqn.outvars[n_carried:]]
    types = _types(im, eqn.outvars)
    stacks = [builder.zeros(type) for type in stack_types]  # every element will be overwritten
    zero, one = builder.index_constant(0), builder.index_constant(1)
    length = builder.extents.value(params["length"])

    op = builder.op("scf.for", [zero, length, one, *carried, *stacks], types, regions=1)
    locs = [builder.loc] * (1 + len(types))
    with builder.inside(op.regions[0].blocks.append(builder.index, *types, arg_locs=locs)) as block:
        step, *values = block.arguments
        if params["reverse"]:
            last = builder.one("arith.subi", [length, one], builder.index)
            step = builder.one("arith.subi", [last, step], builder.index)
        place = builder.from_index(step, _SCALAR_I64)
        items = [_item(im, s, type, place) for s, type in zip(sequences, sequence_types, strict=True)]
        results = im.jaxpr(params["jaxpr"], [*consts, *values[:n_carried], *items])
        stacked = [
            _with_item(im, stack, type, place, item)
            for stack, type, item in zip(values[n_carried:], stack_types, results[n_carried:], strict=True)
        ]
        _yield(im, [*results[:n_carried], *stacked])
    return list(op.results)


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
