"""Graph types as MLIR types."""

from __future__ import annotations

from mlir import ir

from janus_mlir.capture.graph import TensorType, Type
from janus_mlir.emit.errors import EmitError
from janus_mlir.emit.extents import is_static

__all__ = ["Types"]

#: Element types by MLIR name. Complex numbers are pairs of floats.
_ELEMENTS = ("i1", "i8", "i16", "i32", "i64", "ui8", "ui16", "ui32", "ui64", "f16", "bf16", "f32", "f64")


class Types:
    """The types of one MLIR context, each made once."""

    def __init__(self) -> None:
        self.index = ir.IndexType.get()
        self.i1 = ir.IntegerType.get_signless(1)
        self.i32 = ir.IntegerType.get_signless(32)
        self.i64 = ir.IntegerType.get_signless(64)
        self.f64 = ir.F64Type.get()
        self._scalars: dict[str, ir.Type] = {
            "i1": self.i1,
            "i64": self.i64,
            "f64": self.f64,
            "index": self.index,
        }
        self._elements: dict[str, ir.Type] = {}
        self._tensors: dict[TensorType, ir.Type] = {}
        self._unknown = ir.Location.unknown()

    def element(self, name: str) -> ir.Type:
        """Return the element type by its MLIR name."""
        type = self._elements.get(name)
        if type is None:
            if name not in _ELEMENTS:
                raise EmitError.element_type(name)
            type = self._elements[name] = ir.Type.parse(name)
        return type

    def __call__(self, type: Type) -> ir.Type:
        """Return the MLIR type of a graph type."""
        if not isinstance(type, TensorType):
            if type.name == "object" and "object" not in self._scalars:
                self._scalars["object"] = ir.Type.parse("!janus.object")
            return self._scalars[type.name]
        known = self._tensors.get(type)
        if known is None:
            dynamic = ir.ShapedType.get_dynamic_size()
            shape = [int(d) if is_static(d) else dynamic for d in type.shape]
            known = ir.RankedTensorType.get(shape, self.element(type.dtype), loc=self._unknown)
            self._tensors[type] = known
        return known
