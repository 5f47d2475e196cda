"""From the capture graph to an MLIR module in phase "captured"."""

from __future__ import annotations

import importlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from mlir import ir

from janus_mlir.capture.graph import Block, Function, Graph, Op, ScalarType, TensorType, Value
from janus_mlir.emit.builder import Builder, attribute, predicate
from janus_mlir.emit.extents import is_static
from janus_mlir.emit.functions import Closure, closures
from janus_mlir.emit.jaxpr import Importer
from janus_mlir.emit.jaxpr.avals import tensor_type
from janus_mlir.emit.jaxpr.tracing import pullback_of
from janus_mlir.emit.types import Types

__all__ = ["Module", "emit_module", "new_context"]

_UPSTREAM = ["arith", "func", "math", "scf", "tensor", "ub"]


@dataclass(frozen=True, slots=True)
class Module:
    """An MLIR module and the context it lives in.

    Attributes
    ----------
    context : mlir.ir.Context
    module : mlir.ir.Module
    name : str
        Symbol of the entry function.
    """

    context: ir.Context
    module: ir.Module
    name: str

    def __str__(self) -> str:
        return str(self.module)


def _literal(number: float) -> str:
    """Return a Python number as a typed MLIR literal, floats by their bits."""
    if isinstance(number, bool):
        return str(number).lower()
    if isinstance(number, int):
        return f"{number} : i64"
    return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X} : f64"


def new_context() -> ir.Context:
    """Return a context with the dialects of phase "captured".

    One context serves one compilation, so that compilations on several threads share nothing.
    """
    context = ir.Context(load_on_create_dialects=_UPSTREAM)
    context.enable_multithreading(False)
    compiler = importlib.import_module("janus_mlir._native._compiler")
    compiler.register_dialects(context)
    return context


def emit_module(graph: Graph, context: ir.Context | None = None, *, verify: bool = True) -> Module:
    """Emit a captured function.

    Parameters
    ----------
    graph : Graph
    context : mlir.ir.Context, optional
        Where to build the module; a new context by default.
    verify : bool
        Whether to check what was built.

    Raises
    ------
    EmitError
        If something of the graph has no MLIR form.
    mlir.ir.MLIRError
        If what was built is not valid.
    """
    context = new_context() if context is None else context
    with context, ir.Location.unknown():
        module = ir.Module.create()
        _Emitter(graph, module).run()
        if verify:
            module.operation.verify()
    return Module(context, module, graph.name)


class _Emitter:
    """Emits one graph, function by function."""

    def __init__(self, graph: Graph, module: ir.Module) -> None:
        self.graph = graph
        self.module = module
        self._functions = 0
        #: Functions with rules of their own, by equation: the equation, two symbols and the types of the results.
        self._rules: dict[tuple[int, int], tuple[Any, str, str, list[ir.Type]]] = {}
        #: How many differentiated functions surround what is being emitted.
        self._depth = 0
        self.types = Types()
        self.closures = closures(graph)
        taken = {graph.name}
        self.symbols: dict[Function, str] = {}
        for function in graph.functions:
            name = function.name
            while name in taken:
                name = f"{name}_"
            taken.add(name)
            self.symbols[function] = name
        self._values: dict[Value, ir.Value] = {}

    def run(self) -> None:
        """Emit the entry function and those that it calls."""
        graph = self.graph
        arguments = [self.types(i.value.type) for i in graph.inputs]
        results = [self.types(operand.type) for operand in graph.body.ops[-1].operands]
        # Without a site of its own the ordinary return is never reached: any free number will do.
        site = _free_site(graph) if graph.return_site is None else graph.return_site
        attributes = {
            "arg_attrs": ir.ArrayAttr.get(
                [self._argument_attributes(i.source, i.value) for i in graph.inputs]
            ),
            "janus.entry": ir.UnitAttr.get(),
            "janus.return_site": ir.IntegerAttr.get(self.types.i32, site),
        }
        unknown = ir.Location.unknown()
        locs = [ir.Location.name(i.source, unknown) for i in graph.inputs]
        entry = self._begin(graph.name, arguments, results, attributes, locs)
        for graph_input, argument in zip(graph.inputs, entry.arguments, strict=True):
            self._values[graph_input.value] = argument
            self._define_extents(graph_input.value, argument)
        self._block(graph.body)
        self.builder.finish()
        for function in graph.functions:
            self._function(function, self.closures[function])

    def _begin(
        self,
        name: str,
        arguments: list[ir.Type],
        results: list[ir.Type],
        attributes: dict[str, ir.Attribute],
        locs: list[ir.Location],
    ) -> ir.Block:
        """Start a function: its first block, at which a new builder works."""
        own = {
            "sym_name": ir.StringAttr.get(name),
            "function_type": ir.TypeAttr.get(ir.FunctionType.get(arguments, results)),
        }
        function = ir.Operation.create(
            "func.func", attributes={**own, **attributes}, regions=1, ip=ir.InsertionPoint(self.module.body)
        )
        entry = function.regions[0].blocks.append(*arguments, arg_locs=locs)
        self.builder = Builder(self.types, entry)
        self.importer = Importer(self.builder)
        return entry

    def _function(self, function: Function, closure: Closure) -> None:
        """Emit a function that others call."""
        params = [*function.params, *closure.values]
        arguments = [self.types(v.type) for v in params] + [self.types.index] * len(closure.extents)
        results = [self.types(v.type) for v in function.body.ops[-1].operands]
        attributes = {"sym_visibility": ir.StringAttr.get("private"), "no_inline": ir.UnitAttr.get()}
        unknown = ir.Location.unknown()
        hints = [v.hint for v in params] + closure.extents
        locs = [ir.Location.name(hint, unknown) if hint else unknown for hint in hints]
        # A value of the caller has another name here.
        outer, self._values = self._values, {}
        entry = self._begin(self.symbols[function], arguments, results, attributes, locs)
        self._values.update(zip(params, list(entry.arguments)[: len(params)], strict=True))
        for name, argument in zip(closure.extents, list(entry.arguments)[len(params) :], strict=True):
            self.builder.extents.bind(name, argument)
        self._block(function.body)
        self.builder.finish()
        self._values = outer

    def _argument_attributes(self, source: str, value: Value) -> ir.DictAttr:
        attributes: dict[str, ir.Attribute] = {"janus.source": ir.StringAttr.get(source)}
        if isinstance(value.type, TensorType) and not all(map(is_static, value.type.shape)):
            names = ["" if is_static(d) else str(d) for d in value.type.shape]
            attributes["janus.dims"] = ir.ArrayAttr.get([ir.StringAttr.get(n) for n in names])
        return ir.DictAttr.get(attributes)

    def _define_extents(self, value: Value, argument: ir.Value) -> None:
        if not isinstance(value.type, TensorType):
            return
        builder = self.builder
        for axis, extent in enumerate(value.type.shape):
            if not is_static(extent):
                builder.extents.define(extent, partial(builder.dim, argument, axis))

    # Blocks and ops

    def _block(self, block: Block) -> None:
        builder = self.builder
        values = self._values
        for op in block.ops:
            builder.loc = builder.at(op.span, op.callers)
            emit = _SPECIAL.get(op.name)
            operands = [values[operand] for operand in op.operands]
            if emit is not None:
                results = emit(self, op, operands)
            elif op.name.startswith("lax."):
                types = [r.type for r in op.results if isinstance(r.type, TensorType)]
                results = builder.lax(op.name[4:], operands, types, **op.attrs)
            else:
                attributes = {name: attribute(value) for name, value in op.attrs.items()}
                mlir_types = [builder.types(r.type) for r in op.results]
                results = list(builder.op(op.name, operands, mlir_types, attributes).results)
            values.update(zip(op.results, results, strict=True))

    def _region(self, region: ir.Region, block: Block, types: Sequence[ir.Type]) -> None:
        builder = self.builder
        loc = builder.loc
        target = region.blocks.append(*types, arg_locs=[loc] * len(types))
        self._values.update(zip(block.args, target.arguments, strict=True))
        with builder.inside(target):
            self._block(block)
        builder.loc = loc

    # Ops with a form of their own

    def _constant(self, op: Op, operands: list[ir.Value]) -> list[ir.Value]:
        return [self.builder.constant(op.attrs["value"], op.results[0].type)]

    def _poison(self, op: Op, operands: list[ir.Value]) -> list[ir.Value]:
        builder = self.builder
        (result,) = op.results
        if isinstance(result.type, ScalarType):
            # `tensor.from_elements` does not bear poison: its folder takes it for a number.
            return [builder.constant(0, result.type)]
        type = builder.types(result.type)
        return [builder.one("ub.poison", [], type, {"value": builder.parsed("#ub.poison")})]

    def _dim(self, op: Op, operands: list[ir.Value]) -> list[ir.Value]:
        builder = self.builder
        return [builder.one("arith.index_cast", [builder.extents.value(op.attrs["expr"])], builder.i64)]

    def _compare(self, op: Op, operands: list[ir.Value]) -> list[ir.Value]:
        attributes = {"predicate": predicate(op.name, op.attrs["predicate"])}
        return [self.builder.one(op.name, operands, self.builder.i1, attributes)]

    def _integer(self, op: Op, operands: list[ir.Value]) -> list[ir.Value]:
        """Emit integer arithmetic; `exact` says that it does not overflow."""
        builder = self.builder
        flags = builder.parsed("#arith.overflow<nsw>" if op.attrs.get("exact") else "#arith.overflow<none>")
        return [builder.one(op.name, operands, builder.types(op.results[0].type), {"overflowFlags": flags})]

    def _extract(self, op: Op, operands: list[ir.Value]) -> list[ir.Value]:
        """Emit the element of a tensor of rank 0, as the scalar type of its kind."""
        builder = self.builder
        source = op.operands[0].type
        assert isinstance(source, TensorType)
        (value,) = operands
        wanted = builder.types(op.results[0].type)
        if source.dtype.startswith("u"):  # scalars are signless
            value = builder.lax1("convert_element_type", [value], TensorType(source.dtype[1:], source.shape))
        element = builder.element(source.dtype.removeprefix("u"))
        indices = [builder.index_constant(0)] * source.rank
        number = builder.one("tensor.extract", [value, *indices], element)
        if number.type == wanted:
            return [number]
        widen = "arith.extui" if source.dtype == "i1" or source.dtype.startswith("u") else "arith.extsi"
        return [builder.one(widen if isinstance(element, ir.IntegerType) else "arith.extf", [number], wanted)]

    def _guard(self, op: Op, operands: list[ir.Value]) -> list[ir.Value]:
        builder = self.builder
        attributes = {
            "kind": builder.parsed(f"#janus.kind<{op.attrs['kind']}>"),
            "site": builder.site(op.attrs["site"]),
        }
        if op.attrs.get("restart"):
            attributes["restart"] = ir.UnitAttr.get()
        return list(builder.op(op.name, operands, [], attributes).results)

    def _exit(self, op: Op, operands: list[ir.Value]) -> list[ir.Value]:
        builder = self.builder
        attributes = {"site": builder.site(op.attrs["site"])}
        if op.attrs.get("restart"):
            attributes["restart"] = ir.UnitAttr.get()
        if op.name == "janus.deopt":
            attributes["reason"] = ir.StringAttr.get(op.attrs["reason"])
        if "text" in op.attrs:
            attributes["janus.text"] = ir.StringAttr.get(op.attrs["text"])
        return list(builder.op(op.name, operands, [], attributes).results)

    def _func_call(self, op: Op, operands: list[ir.Value]) -> list[ir.Value]:
        builder = self.builder
        callee = op.attrs["callee"]
        closure = self.closures[callee]
        operands = [*operands, *(self._values[v] for v in closure.values)]
        operands += [builder.extents.bound(name) for name in closure.extents]
        attributes = {"callee": ir.FlatSymbolRefAttr.get(self.symbols[callee])}
        types = [builder.types(r.type) for r in op.results]
        return list(builder.op("func.call", operands, types, attributes).results)

    def _heap(self, op: Op, operands: list[ir.Value]) -> list[ir.Value]:
        """Emit a read of a live object: its numbers are i32, or the number of an enumeration's case."""
        builder = self.builder
        attributes = {
            name: builder.site(_BOX_KINDS.index(value) if name == "kind" else value)
            if name in ("entry", "dtype", "kind")
            else attribute(value)
            for name, value in op.attrs.items()
            if name != "profile"
        }
        constant = op.attrs["profile"]() if op.attrs.get("profile") else None
        if constant is not None:
            number, count = constant
            text = f"#janus.constant_number<value = {_literal(number)}, count = {count}>"
            attributes["janus.profile"] = builder.parsed(text)
        types = [builder.types(r.type) for r in op.results]
        return list(builder.op(op.name, operands, types, attributes).results)

    def _call(self, op: Op, operands: list[ir.Value]) -> list[ir.Value]:
        builder = self.builder
        jaxpr = op.attrs["jaxpr"]
        args = [
            builder.resized(value, tensor_type(aval))
            for value, aval in zip(operands, jaxpr.in_avals, strict=True)
        ]
        results = self.importer.jaxpr(jaxpr, args)
        return [builder.resized(value, r.type) for value, r in zip(results, op.results, strict=True)]

    def _if(self, op: Op, operands: list[ir.Value]) -> list[ir.Value]:
        builder = self.builder
        attributes = {}
        if op.attrs.get("profile") is not None:
            taken, not_taken = op.attrs["profile"]
            text = f"#janus.branch<taken = {taken}, not_taken = {not_taken}>"
            attributes["janus.profile"] = builder.parsed(text)
        made = builder.op(
            "scf.if", operands, [builder.types(r.type) for r in op.results], attributes, regions=2
        )
        for region, block in zip(made.regions, op.regions, strict=False):
            self._region(region, block, [])
        return list(made.results)

    def _trips(self, op: Op) -> dict[str, ir.Attribute]:
        if op.attrs.get("trips") is None:
            return {}
        low, high, executions = op.attrs["trips"]
        text = f"#janus.trips<min = {low}, max = {high}, executions = {executions}>"
        return {"janus.profile": self.builder.parsed(text)}

    def _while(self, op: Op, operands: list[ir.Value]) -> list[ir.Value]:
        builder = self.builder
        made = builder.op(
            "scf.while", operands, [builder.types(r.type) for r in op.results], self._trips(op), regions=2
        )
        for region, block in zip(made.regions, op.regions, strict=True):
            self._region(region, block, [builder.types(a.type) for a in block.args])
        return list(made.results)

    def _for(self, op: Op, operands: list[ir.Value]) -> list[ir.Value]:
        builder = self.builder
        made = builder.op(
            "scf.for", operands, [builder.types(r.type) for r in op.results], self._trips(op), regions=1
        )
        (block,) = op.regions
        self._region(made.regions[0], block, [builder.types(a.type) for a in block.args])
        return list(made.results)

    def _value_and_grad(self, op: Op, operands: list[ir.Value]) -> list[ir.Value]:
        """Emit the region as a private function; its first result is differentiated by its first arguments."""
        (block,) = op.regions
        free = _free_values(block, self.closures)
        arguments = [*operands, *(self._values[v] for v in free)]
        *ops, terminator = block.ops

        def body(given: Sequence[ir.Value]) -> list[ir.Value]:
            self._values = dict(zip([*block.args, *free], given, strict=True))
            self._block(Block(ops=ops))
            return [self._values[v] for v in terminator.operands]

        self._depth += 1
        name, outputs = self._private_function("loss", [a.type for a in arguments], body, order=self._depth)
        self._depth -= 1
        attributes = {
            "callee": ir.FlatSymbolRefAttr.get(name),
            "wrt": ir.DenseI64ArrayAttr.get(list(range(len(operands)))),
        }
        extents = self.builder.extents.variables().values()
        types = [*outputs, *(o.type for o in operands)]
        return list(self.builder.op(op.name, [*arguments, *extents], types, attributes).results)

    def _private_function(
        self,
        stem: str,
        types: Sequence[ir.Type],
        body: Callable[[Sequence[ir.Value]], Sequence[ir.Value]],
        *,
        order: int,
        last: Sequence[ir.Type] = (),
    ) -> tuple[str, list[ir.Type]]:
        """Emit a private function of values of `types`, the sizes that are known here, and values of `last`.

        It will be differentiated `order` times.

        Returns
        -------
        tuple
            Its symbol and the types of its results.
        """
        outer, values, importer = self.builder, self._values, self.importer
        extents = outer.extents.variables()
        arguments = [*types, *(v.type for v in extents.values()), *last]
        self._functions += 1
        name = f"{self.graph.name}.{stem}{self._functions}"
        private = {"sym_visibility": ir.StringAttr.get("private")}
        entry = self._begin(name, arguments, [], private, [outer.loc] * len(arguments))
        given = list(entry.arguments)
        self.builder.loc = outer.loc
        self.importer = Importer(self.builder, _Rules(self, order) if order else None)
        for variable, argument in zip(extents, given[len(types) : len(types) + len(extents)], strict=True):
            self.builder.extents.bind(variable, argument)
        results = body([*given[: len(types)], *given[len(types) + len(extents) :]])
        self.builder.op("func.return", results)
        self.builder.finish()
        outputs = [r.type for r in results]
        entry.owner.attributes["function_type"] = ir.TypeAttr.get(ir.FunctionType.get(arguments, outputs))
        self.builder, self._values, self.importer = outer, values, importer
        return name, outputs

    def call_with_rule(
        self, eqn: Any, primal: Any, arguments: Sequence[ir.Value], order: int
    ) -> list[ir.Value]:
        """Emit a call of jaxpr `primal` with the derivative that JAX gives the equation."""
        known = self._rules.get((id(eqn), order))
        if known is None:
            types = [a.type for a in arguments]
            pullback = pullback_of(eqn)
            cotangents = [self.types(tensor_type(aval)) for aval in pullback.in_avals[len(types) :]]

            def importing(jaxpr: Any) -> Callable[[Sequence[ir.Value]], Sequence[ir.Value]]:
                return lambda values: self.importer.jaxpr(jaxpr, values)

            # The primal is not differentiated, and the derivative once less.
            name, outputs = self._private_function("primal", types, importing(primal), order=0)
            back, _ = self._private_function(
                "pullback", types, importing(pullback), order=order - 1, last=cotangents
            )
            # The equation is kept, so that its id is not used again.
            known = self._rules[id(eqn), order] = (eqn, name, back, outputs)
        _, name, back, outputs = known
        attributes = {"primal": ir.FlatSymbolRefAttr.get(name), "pullback": ir.FlatSymbolRefAttr.get(back)}
        extents = self.builder.extents.variables().values()
        return list(self.builder.op("janus.custom_vjp", [*arguments, *extents], outputs, attributes).results)

    def _terminator(self, op: Op, operands: list[ir.Value]) -> list[ir.Value]:
        return list(self.builder.op(_TERMINATORS[op.name], operands).results)


@dataclass(frozen=True, slots=True)
class _Rules:
    """Calls with rules of their own, in a function that is differentiated `order` times."""

    emitter: _Emitter
    order: int

    def call_with_rule(self, eqn: Any, primal: Any, arguments: Sequence[ir.Value]) -> list[ir.Value]:
        return self.emitter.call_with_rule(eqn, primal, arguments, self.order)


def _free_values(block: Block, closures: dict[Function, Closure]) -> list[Value]:
    """Return the values from outside that `block`, or what it calls, uses, in order of their first use."""
    defined: set[Value] = set()
    used: dict[Value, None] = {}

    def visit(block: Block) -> None:
        defined.update(block.args)
        for op in block.ops:
            closure = closures[op.attrs["callee"]].values if "callee" in op.attrs else []
            for operand in (*op.operands, *closure):
                if operand not in defined:
                    used.setdefault(operand)
            for region in op.regions:
                visit(region)
            defined.update(op.results)

    visit(block)
    return list(used)


def _free_site(graph: Graph) -> int:
    """Return a number above every site in `graph`."""

    def above(block: Block) -> int:
        inner = (above(region) for op in block.ops for region in op.regions)
        return max((*(op.attrs["site"] + 1 for op in block.ops if "site" in op.attrs), *inner), default=0)

    return max(map(above, (graph.body, *(f.body for f in graph.functions))))


#: Cases of the enumeration of ``janus.unbox``, in order.
_BOX_KINDS = ("number", "numpy", "npscalar", "jax", "jax_weak")


_TERMINATORS = {"yield": "scf.yield", "condition": "scf.condition", "return": "func.return"}

_SPECIAL: dict[str, Callable[[_Emitter, Op, list[ir.Value]], list[ir.Value]]] = {
    "constant": _Emitter._constant,
    "poison": _Emitter._poison,
    "dim": _Emitter._dim,
    "arith.addi": _Emitter._integer,
    "arith.subi": _Emitter._integer,
    "arith.muli": _Emitter._integer,
    "arith.cmpi": _Emitter._compare,
    "arith.cmpf": _Emitter._compare,
    "tensor.extract": _Emitter._extract,
    "janus.guard": _Emitter._guard,
    "janus.deopt": _Emitter._exit,
    "janus.frame": _Emitter._exit,
    "janus.record": _Emitter._exit,
    "janus.leave": _Emitter._exit,
    "jax.call": _Emitter._call,
    "func.call": _Emitter._func_call,
    "janus.object": _Emitter._heap,
    "janus.null": _Emitter._heap,
    "janus.get_attr": _Emitter._heap,
    "janus.get_item": _Emitter._heap,
    "janus.length": _Emitter._heap,
    "janus.type_is": _Emitter._heap,
    "janus.method_is": _Emitter._heap,
    "janus.equals": _Emitter._heap,
    "janus.is": _Emitter._heap,
    "janus.is_null": _Emitter._heap,
    "janus.unbox": _Emitter._heap,
    "janus.box": _Emitter._heap,
    "janus.invoke": _Emitter._heap,
    "janus.address": _Emitter._heap,
    "janus.object_at": _Emitter._heap,
    "scf.if": _Emitter._if,
    "scf.while": _Emitter._while,
    "scf.for": _Emitter._for,
    "janus.value_and_grad": _Emitter._value_and_grad,
    "yield": _Emitter._terminator,
    "condition": _Emitter._terminator,
    "return": _Emitter._terminator,
}
