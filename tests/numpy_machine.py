"""A machine with straight-line code only: enough to run NumPy code on abstract values.

`Proxy` makes abstract values behave like arrays, so that one function runs on real arrays and is captured.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jax import export
from numpy_evaluate import Evaluator

from janus_mlir.capture import numpy as semantics
from janus_mlir.capture.graph import BOOL, FLOAT, INT, Builder, Graph, TensorType, Value
from janus_mlir.capture.numpy.dtypes import element
from janus_mlir.capture.values import (
    Abstract,
    ExtentNumber,
    Known,
    ListRef,
    Number,
    NumpyArray,
    NumpyScalar,
    SliceValue,
    Storage,
    TupleValue,
    ViewStep,
    fresh_id,
)


class Machine:
    """Implements `semantics.Context`."""

    def __init__(self) -> None:
        self.graph = Graph("test")
        self.b = Builder(self.graph)
        self.layouts: dict[int, semantics.Layout] = {}
        self.heap: dict[int, Any] = {}
        self.guards: list[str] = []

    def read(self, array: NumpyArray) -> Value:
        return semantics.apply_view(self.b, self.heap[array.storage].ref, array.view)

    def write(self, array: NumpyArray, content: Value) -> None:
        storage = self.heap[array.storage]
        assert content.type == TensorType(element(array.dtype), array.shape), (content, array)
        ref = semantics.write_view(self.b, storage.ref, array.view, content)
        assert ref.type == storage.ref.type, (ref, storage.ref)
        self.heap[array.storage] = replace(storage, ref=ref)

    def computes(self) -> None:
        """Warnings are nobody's concern here."""

    def storage(self, array: NumpyArray) -> Storage:
        found: Storage = self.heap[array.storage]
        return found

    def new_array(self, ref: Value, dtype: np.dtype[Any]) -> NumpyArray:
        assert isinstance(ref.type, TensorType) and ref.type.dtype == element(dtype), (ref, dtype)
        handle = fresh_id()
        self.heap[handle] = Storage(ref, dtype, ref.type.shape)
        return NumpyArray(handle, dtype, ref.type.shape)

    def new_scalar(self, ref: Value, dtype: np.dtype[Any]) -> NumpyScalar:
        assert ref.type == TensorType(element(dtype), ()), (ref, dtype)
        return NumpyScalar(ref, dtype)

    def view(self, array: NumpyArray, step: ViewStep, shape: tuple[Any, ...]) -> NumpyArray:
        return NumpyArray(array.storage, array.dtype, shape, (*array.view, step))

    def guard(self, cond: Value, kind: str) -> None:
        assert cond.type == BOOL, cond
        self.guards.append(kind)
        self.b.op("janus.guard", [cond], kind=kind, site=len(self.guards))

    def items(self, value: Abstract) -> Sequence[Abstract] | None:
        if isinstance(value, TupleValue):
            return value.items
        if isinstance(value, ListRef):
            found: Sequence[Abstract] = self.heap[value.id]
            return found
        return None

    def make_list(self, items: list[Abstract]) -> Abstract:
        ref = ListRef()
        self.heap[ref.id] = items
        return ref

    # Between Python and abstract values

    def abstract(self, value: Any) -> Abstract:
        value = _plain(value)
        if isinstance(value, Proxy):
            return value.value
        if isinstance(value, tuple):
            return TupleValue(tuple(map(self.abstract, value)))
        if isinstance(value, list):
            return self.make_list([self.abstract(item) for item in value])
        if isinstance(value, slice):
            return SliceValue(
                self.abstract(value.start), self.abstract(value.stop), self.abstract(value.step)
            )
        return Known(value)

    def wrap(self, value: Abstract) -> Any:
        if isinstance(value, Known):
            return value.value
        if isinstance(value, TupleValue):
            return tuple(map(self.wrap, value.items))
        if isinstance(value, ListRef):
            return [self.wrap(item) for item in self.heap[value.id]]
        return Proxy(self, value)

    def concrete(self, evaluator: Evaluator, value: Any) -> Any:
        """The Python object that a captured result stands for."""
        if isinstance(value, tuple | list):
            return type(value)(self.concrete(evaluator, item) for item in value)
        if not isinstance(value, Proxy):
            return value
        match value.value:
            case NumpyArray() as array:
                content = evaluator.values[value.content.uid]
                return np.asarray(content).astype(array.dtype)
            case NumpyScalar(ref=ref, dtype=dtype):
                return dtype.type(evaluator[ref][()])
            case Number(ref=ref, kind=kind):
                return {"int": int, "float": float, "bool": bool}[kind](evaluator.values[ref.uid])
            case ExtentNumber(expr=expr):
                return evaluator.extent(expr)
        raise AssertionError(value.value)


class Proxy:
    """An abstract value that answers as the value itself would."""

    __array_ufunc__ = None

    def __init__(self, machine: Machine, value: Abstract) -> None:
        self.machine = machine
        self.value = value
        self.content: Any = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = semantics.attribute(self.machine, self.value, name)
        if found is not None:
            return self.machine.wrap(found)

        def method(*args: Any, **kwargs: Any) -> Any:
            m = self.machine
            return m.wrap(
                semantics.method(
                    m,
                    self.value,
                    name,
                    [*map(m.abstract, args)],
                    {k: m.abstract(v) for k, v in kwargs.items()},
                )
            )

        return method

    def __getitem__(self, index: Any) -> Any:
        m = self.machine
        return m.wrap(semantics.getitem(m, self.value, m.abstract(index)))

    def __setitem__(self, index: Any, src: Any) -> None:
        m = self.machine
        semantics.setitem(m, self.value, m.abstract(index), m.abstract(src))

    def __float__(self) -> Any:
        raise TypeError("abstract")


def _install() -> None:
    def binary(name: str, op: str, swap: bool) -> Any:
        def method(self: Proxy, other: Any) -> Any:
            a, b = self.value, self.machine.abstract(other)
            if swap:
                a, b = b, a
            return self.machine.wrap(semantics.binary(self.machine, op, a, b))

        return method

    def inplace(op: str) -> Any:
        def method(self: Proxy, other: Any) -> Any:
            found = semantics.inplace(self.machine, op, self.value, self.machine.abstract(other))
            return self if found is self.value else self.machine.wrap(found)

        return method

    def compare(op: str) -> Any:
        def method(self: Proxy, other: Any) -> Any:
            found = semantics.compare(self.machine, op, self.value, self.machine.abstract(other))
            return self.machine.wrap(found)

        return method

    def unary(op: str) -> Any:
        def method(self: Proxy) -> Any:
            return self.machine.wrap(semantics.unary(self.machine, op, self.value))

        return method

    names = [
        "add",
        "sub",
        "mul",
        "truediv",
        "floordiv",
        "mod",
        "pow",
        "matmul",
        "lshift",
        "rshift",
        "and_",
        "or_",
        "xor",
        "divmod",
    ]
    for op in names:
        stem = op.rstrip("_")
        setattr(Proxy, f"__{stem}__", binary(stem, op, False))
        setattr(Proxy, f"__r{stem}__", binary(stem, op, True))
        if op != "divmod":
            setattr(Proxy, f"__i{stem}__", inplace(op))
    for op in ["lt", "le", "gt", "ge", "eq", "ne"]:
        setattr(Proxy, f"__{op}__", compare(op))
    for op in ["neg", "pos", "invert", "abs"]:
        setattr(Proxy, f"__{op}__", unary(op))
    Proxy.__hash__ = object.__hash__  # type: ignore[method-assign,assignment]


_install()


class Facade:
    """Stands for the ``numpy`` module while a function is captured."""

    def __init__(self, machine: Machine, target: Any = np) -> None:
        self._machine = machine
        self._target = target

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if semantics.is_numpy_callable(found):
            return FunctionFacade(self._machine, found)
        if type(found).__name__ == "module":
            return Facade(self._machine, found)
        return found


class FunctionFacade(Facade):
    """A NumPy function."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        m = self._machine
        arguments = [m.abstract(a) for a in args]
        keywords = {k: m.abstract(v) for k, v in kwargs.items()}
        return m.wrap(semantics.call(m, self._target, arguments, keywords))


def _plain(value: Any) -> Any:
    return value._target if isinstance(value, Facade) else value


class Builtins:
    """Conversions that Python does by itself on real arrays."""

    def __init__(self, machine: Machine | None) -> None:
        self.machine = machine

    def to(self, kind: str, value: Any) -> Any:
        if self.machine is None or not isinstance(value, Proxy):
            return {"int": int, "float": float, "bool": bool}[kind](value)
        return self.machine.wrap(semantics.to_number(self.machine, value.value, kind))

    def contains(self, value: Any, item: Any) -> Any:
        if self.machine is None:
            return operator.contains(value, item)
        m = self.machine
        return m.wrap(semantics.contains(m, value.value, m.abstract(item)))


def capture(
    function: Any, inputs: Sequence[Any], symbolic: bool = False
) -> tuple[Machine, list[Proxy], Any, dict[str, int]]:
    """Capture `function(np, *inputs)`; returns the machine, its inputs, the result and the extents.

    Arrays and scalars become run-time values. If `symbolic`, extents above 1 are variables.
    """
    machine = Machine()
    extents: dict[str, int] = {}
    names: dict[int, Any] = {}

    def extent(size: int) -> Any:
        if not symbolic or size < 2:
            return size
        if size not in names:
            variable = f"n{size}"
            extents[variable] = size
            names[size] = export.symbolic_shape(variable, scope=scope)[0]
        return names[size]

    scope = export.SymbolicScope()
    proxies = []
    for number, value in enumerate(inputs):
        if isinstance(value, np.ndarray):
            shape = tuple(map(extent, value.shape))
            ref = machine.b.input(TensorType(element(value.dtype), shape), f"x{number}")
            abstract: Abstract = machine.new_array(ref, value.dtype)
        elif isinstance(value, np.generic):
            ref = machine.b.input(TensorType(element(value.dtype), ()), f"x{number}")
            abstract = machine.new_scalar(ref, value.dtype)
        else:
            kind = type(value).__name__
            ref = machine.b.input({"int": INT, "float": FLOAT, "bool": BOOL}[kind], f"x{number}")
            abstract = Number(kind, ref)  # type: ignore[arg-type]
        proxies.append(Proxy(machine, abstract))
    result = function(Facade(machine), *proxies)
    for proxy in [*proxies, *leaves(result)]:
        if isinstance(proxy.value, NumpyArray):
            proxy.content = machine.read(proxy.value)
    return machine, proxies, result, extents


def leaves(result: Any) -> list[Proxy]:
    """The abstract values in a result."""
    if isinstance(result, tuple | list):
        return [leaf for item in result for leaf in leaves(item)]
    return [result] if isinstance(result, Proxy) else []


def evaluate(
    machine: Machine, proxies: Sequence[Proxy], result: Any, inputs: Sequence[Any], extents: Mapping[str, int]
) -> tuple[Any, list[Any]]:
    """Run the captured graph: the result, and the contents of the inputs afterwards."""
    evaluator = Evaluator(extents)
    values = {entry.value: content for entry, content in zip(machine.graph.inputs, inputs, strict=True)}
    evaluator.run(machine.graph.body, values)
    return machine.concrete(evaluator, result), [machine.concrete(evaluator, p) for p in proxies]
