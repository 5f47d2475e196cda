"""The one place where MLIR operations, types, attributes and constants are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from mlir import ir

from janus_mlir.capture.graph import ScalarType, TensorType, Type
from janus_mlir.emit.extents import Extents, is_static
from janus_mlir.emit.lax_forms import LAX_FORMS
from janus_mlir.emit.types import Types
from janus_mlir.locations import Span

__all__ = ["Builder", "array_attribute", "attribute", "predicate"]

#: Arrays above this size are not compared with their first element to find a splat.
_SPLAT_SEARCH = 1 << 16


#: The order of the predicates in arith's enumerations.
_PREDICATES = {
    "arith.cmpi": ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"),
    "arith.cmpf": (
        "false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord",
        "ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true",
    ),
}  # fmt: skip


def predicate(op: str, name: str) -> ir.Attribute:
    """Return the predicate attribute of ``arith.cmpi`` or ``arith.cmpf`` by its MLIR name."""
    return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), _PREDICATES[op].index(name))


def attribute(value: Any) -> ir.Attribute:
    """Convert a Python value to an attribute by the conventions of the ``lax`` dialect.

    A flag is a bool, a number an ``i64`` (or ``f64``), a name a string, a sequence of numbers or of pairs of
    numbers a dense ``i64`` array.
    """
    match value:
        case ir.Attribute():
            return value
        case bool() | np.bool_():
            return ir.BoolAttr.get(bool(value))
        case int() | np.integer():
            return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), int(value))
        case float():
            return ir.FloatAttr.get(ir.F64Type.get(), value)
        case str():
            return ir.StringAttr.get(value)
        case tuple() | list():
            if value and isinstance(value[0], bool | np.bool_):
                return ir.DenseBoolArrayAttr.get([bool(v) for v in value])
            if value and isinstance(value[0], tuple | list):
                return ir.DenseI64ArrayAttr.get([int(v) for row in value for v in row])
            return ir.DenseI64ArrayAttr.get([int(v) for v in value])
    raise TypeError(f"no attribute for {value!r}")


def array_attribute(array: np.ndarray[Any, Any], type: ir.Type) -> ir.Attribute:
    """Return the dense attribute of tensor type `type` with the elements of `array`."""
    if 1 < array.size <= _SPLAT_SEARCH:
        flat = np.ascontiguousarray(array).reshape(-1)
        # Compared as bytes: -0.0 and 0.0 differ, and NaN equals itself.
        raw = flat.view(np.dtype((np.void, flat.itemsize)))
        if raw[0].tobytes() * flat.size == flat.tobytes():
            array = flat[:1]
    if array.dtype == np.bool_:
        if array.size == 1:
            packed = np.array([255 if array.reshape(-1)[0] else 0], np.uint8)
        else:
            packed = np.packbits(array, axis=None, bitorder="little")
        return ir.DenseElementsAttr.get(packed, type=type)
    if array.dtype.kind == "V":  # ml_dtypes: the buffer protocol does not know them
        array = array.view(f"u{array.itemsize}")
    return ir.DenseElementsAttr.get(np.ascontiguousarray(array), type=type)


class Builder:
    """Appends operations at an insertion point, with the current location.

    An MLIR context must be entered while a builder is used. Constants and extents are emitted once each, at
    the entry of the function, where they dominate every use.
    """

    def __init__(self, types: Types, entry: ir.Block) -> None:
        self.types = types
        self.index, self.i1, self.i64 = types.index, types.i1, types.i64
        self.element = types.element
        self.ip = ir.InsertionPoint(entry)
        self.loc = self.unknown = ir.Location.unknown()
        self._constants: dict[Any, ir.Value] = {}
        self._locations: dict[Any, ir.Location] = {}
        self._attributes: dict[str, ir.Attribute] = {}
        # Everything of the prologue goes before this op, which `finish` erases.
        self._anchor = ir.Operation.create(
            "arith.constant",
            results=[self.i1],
            attributes={"value": ir.BoolAttr.get(False)},
            loc=self.unknown,
            ip=self.ip,
        )
        self._prologue = ir.InsertionPoint(self._anchor)
        self.extents = Extents(self._index_op, self.index_constant)

    def finish(self) -> None:
        """Remove what only served building."""
        self._anchor.erase()

    # Locations

    def at(self, span: Span | None, callers: Sequence[Span] = ()) -> ir.Location:
        """Return the location of `span`, reached through `callers` (innermost first)."""
        if span is None:
            return self.unknown
        key = (span, tuple(callers))
        loc = self._locations.get(key)
        if loc is None:
            loc = ir.Location.file(span.filename, span.line, span.col + 1, span.end_line, span.end_col + 1)
            if callers:
                loc = ir.Location.callsite(loc, [self.at(caller) for caller in callers])
            self._locations[key] = loc
        return loc

    # Operations

    def op(
        self,
        name: str,
        operands: Sequence[ir.Value] = (),
        results: Sequence[ir.Type] = (),
        attributes: dict[str, ir.Attribute] | None = None,
        regions: int = 0,
    ) -> ir.Operation:
        """Append an operation."""
        return ir.Operation.create(
            name,
            results=results,
            operands=operands,
            attributes=attributes,
            regions=regions,
            loc=self.loc,
            ip=self.ip,
        )

    def one(
        self,
        name: str,
        operands: Sequence[ir.Value],
        result: ir.Type,
        attributes: dict[str, ir.Attribute] | None = None,
    ) -> ir.Value:
        """Append an operation with one result and return it."""
        return self.op(name, operands, [result], attributes).results[0]

    def lax(
        self, name: str, operands: Sequence[ir.Value], results: Sequence[TensorType], **attributes: Any
    ) -> list[ir.Value]:
        """Append ``lax.<name>``, with the extents of dynamic results where the op wants them."""
        form = LAX_FORMS.get(name)
        if form is not None:
            operands, attributes = form(self, list(operands), results, attributes)
        op = self.op(
            "lax." + name,
            operands,
            [self.types(result) for result in results],
            {key: attribute(value) for key, value in attributes.items()} if attributes else None,
        )
        return list(op.results)

    def lax1(
        self, name: str, operands: Sequence[ir.Value], result: TensorType, **attributes: Any
    ) -> ir.Value:
        """Append ``lax.<name>`` with one result and return it."""
        return self.lax(name, operands, [result], **attributes)[0]

    def parsed(self, text: str) -> ir.Attribute:
        """Return the attribute written as `text`."""
        known = self._attributes.get(text)
        if known is None:
            known = self._attributes[text] = ir.Attribute.parse(text)
        return known

    def resized(self, value: ir.Value, type: Type) -> ir.Value:
        """Return `value` as `type`, where the two differ in what is static at most."""
        wanted = self.types(type)
        return value if value.type == wanted else self.one("tensor.cast", [value], wanted)

    def site(self, number: int) -> ir.Attribute:
        """Return the attribute of an exit site."""
        return ir.IntegerAttr.get(self.types.i32, number)

    @contextmanager
    def inside(self, block: ir.Block) -> Iterator[ir.Block]:
        """Append to `block` within the ``with`` statement."""
        outer, self.ip = self.ip, ir.InsertionPoint(block)
        try:
            yield block
        finally:
            self.ip = outer

    # Constants

    def constant(self, value: Any, type: Type) -> ir.Value:
        """Return a constant of a graph type; `value` is a number, or an array whose dtype is the type's."""
        if isinstance(type, ScalarType):
            if type.name == "f64":
                bits = np.float64(value).tobytes()
                f64 = self.types.f64
                return self._shared(("f64", bits), f64, lambda: ir.FloatAttr.get(f64, float(value)))
            scalar = self.types(type)
            return self._shared(
                (type.name, int(value)), scalar, lambda: ir.IntegerAttr.get(scalar, int(value))
            )
        array = np.asarray(value)
        tensor = self.types(type)
        if array.size == 0:  # range analysis does not bear constants without elements
            return self._before("tensor.empty", [], tensor)
        key = (type, array.tobytes()) if array.size <= 64 else None
        return self._shared(key, tensor, lambda: array_attribute(array, tensor))

    def number(self, type: ir.Type, value: float) -> ir.Value:
        """Return a constant of a signless scalar type."""
        if isinstance(type, ir.IntegerType):
            return self._shared((str(type), value), type, lambda: ir.IntegerAttr.get(type, int(value)))
        return self._shared((str(type), value), type, lambda: ir.FloatAttr.get(type, float(value)))

    def zeros(self, type: TensorType) -> ir.Value:
        """Return a tensor of zeros."""
        shape = type.shape if all(map(is_static, type.shape)) and 0 not in type.shape else ()
        static = TensorType(type.dtype, shape)

        def attribute() -> ir.Attribute:
            element = self.element(type.dtype)
            is_integer = isinstance(element, ir.IntegerType)
            number = ir.IntegerAttr.get(element, 0) if is_integer else ir.FloatAttr.get(element, 0.0)
            return ir.DenseElementsAttr.get_splat(self.types(static), number)

        zero = self._shared(("zeros", static), self.types(static), attribute)
        return (
            zero if static == type else self.lax1("broadcast_in_dim", [zero], type, broadcast_dimensions=[])
        )

    def index_constant(self, value: int) -> ir.Value:
        """Return a constant of type ``index``."""
        return self._shared(("index", value), self.index, lambda: ir.IntegerAttr.get(self.index, value))

    def _shared(self, key: Any, type: ir.Type, make: Any) -> ir.Value:
        known = self._constants.get(key) if key is not None else None
        if known is None:
            known = self._before("arith.constant", [], type, {"value": make()})
            if key is not None:
                self._constants[key] = known
        return known

    def _index_op(self, name: str, operands: list[ir.Value]) -> ir.Value:
        return self._before(name, operands, self.index)

    def _before(
        self,
        name: str,
        operands: list[ir.Value],
        result: ir.Type,
        attributes: dict[str, ir.Attribute] | None = None,
    ) -> ir.Value:
        return ir.Operation.create(
            name, results=[result], operands=operands, attributes=attributes, loc=self.loc, ip=self._prologue
        ).results[0]

    # Extents

    def dim(self, tensor: ir.Value, axis: int) -> ir.Value:
        """Return the extent of an argument along `axis`."""
        return self._before("tensor.dim", [tensor, self.index_constant(axis)], self.index)

    def to_index(self, value: ir.Value) -> ir.Value:
        """Return an integer as ``index``."""
        return self.one("arith.index_cast", [value], self.index)

    def from_index(self, value: ir.Value, type: TensorType) -> ir.Value:
        """Return an ``index`` as a tensor of rank 0."""
        unsigned = type.dtype.startswith("u")
        signless = TensorType(type.dtype.removeprefix("u"), ())
        number = self.one("arith.index_cast", [value], self.element(signless.dtype))
        tensor = self.one("tensor.from_elements", [number], self.types(signless))
        return self.lax1("convert_element_type", [tensor], type) if unsigned else tensor
