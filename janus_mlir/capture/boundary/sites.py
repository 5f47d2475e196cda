"""Sites: where native code hands values back, and the Python that puts them into place.

A site is the return, a held-back effect, or an exit (a failed guard, or code that is not compiled).
`SiteWriter` writes a small Python function for it, which rebuilds the user's objects from the
values in the journal and the objects that the entry program has fetched.
"""

from __future__ import annotations

import functools
import types
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from janus_mlir.capture.boundary.site import Site, ValueSpec
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.dynamic.layouts import (
    has_arrays,
)
from janus_mlir.capture.exceptions import is_exception
from janus_mlir.capture.graph import Value
from janus_mlir.capture.heap import (
    CompressedContent,
    DictContent,
    IteratorContent,
    ListContent,
    ObjectContent,
    RowContent,
    SetContent,
    TableContent,
    VectorContent,
)
from janus_mlir.capture.reading.rebuild import list_iterator
from janus_mlir.capture.state import State
from janus_mlir.capture.values import (
    Abstract,
    AttributesRef,
    Boxed,
    ComplexValue,
    CompressedRef,
    DictRef,
    ExtentNumber,
    FunctionValue,
    HeapRef,
    IteratorRef,
    JaxArray,
    Known,
    ListRef,
    LiveObject,
    LiveType,
    MemberValue,
    MethodValue,
    Number,
    NumpyArray,
    NumpyScalar,
    ObjectRef,
    PartialValue,
    RangeValue,
    SetRef,
    SliceValue,
    TextCall,
    TextValue,
    TupleValue,
    UnionValue,
    ViewStep,
    ViewValue,
)
from janus_mlir.runtime.words import FromWords, is_complex, word, words

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


class SiteWriter:
    """Writes the Python of one site."""

    def __init__(self, machine: Machine, state: State, *, escapes: bool) -> None:
        self.machine = machine
        self.state = state
        #: Whether objects made here live on and may be referred to by later sites of the call.
        self.escapes = escapes
        self.values: list[Value] = []
        self.specs: list[ValueSpec] = []
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        self._memo: dict[int, str] = {}
        self._value_names: dict[tuple[int, str], str] = {}
        self._open: set[int] = set()
        #: Names of the lists of all lists of a pool.
        self.pools: dict[int, str] = {}
        #: What this site rebuilds of items of lists of run-time length.
        self._lent: dict[int, int] = {}
        self._temps = 0
        self.keep: list[Any] = []

    # ---- pieces ---------------------------------------------------------------

    def object(self, source: Any) -> str:
        return f"o[{self.machine.object_index(source)}]"

    def env(self) -> str:
        return f"o[{self.machine.env_index()}]"

    def constant(self, value: Any) -> str:
        if value is None or value is True or value is False or type(value) in (int, str):
            return repr(value)
        for name, known in self.constants.items():
            if known is value:
                return name
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name

    def value(self, ref: Value, spec: ValueSpec, fresh: bool = False) -> str:
        key = (ref.uid, spec.kind)
        if not fresh and key in self._value_names:
            return self._value_names[key]
        name = f"v{len(self.values)}"
        self.values.append(ref)
        self.specs.append(spec)
        if not fresh:
            self._value_names[key] = name
        return name

    def temp(self, expr: str) -> str:
        name = f"t{self._temps}"
        self._temps += 1
        self.lines.append(f"{name} = {expr}")
        return name

    def _made(self, id: int, expr: str) -> str:
        """Name an object that this site makes, for this and for later sites."""
        name = self.temp(expr)
        self._memo[id] = name
        if self.escapes:
            self.lines.append(f"{self.env()}[{id}] = {name}")
            self.state.escaped |= {id}
        return name

    def _check_class(self, cls: Any) -> None:
        """A class that the call makes is another one each time."""
        if {id(cls), id(type(cls))} & self.machine.made_classes.keys():
            raise Break("JN201", "a class made by the call, or an instance of it, gets out of compiled code,")

    def _known_object(self, id: int) -> str | None:
        if id in self._memo:
            return self._memo[id]
        if id in self.state.escaped:
            return f"{self.env()}[{id}]"
        return None

    # ---- expressions ------------------------------------------------------------

    def expr(self, value: Abstract) -> str:
        """Return a Python expression for an abstract value."""
        match value:
            case Known():
                self._check_class(value.value)
                return self.constant(value.value)
            case Number():
                return self.value(value.ref, ValueSpec(value.kind))
            case ComplexValue():
                return f"complex({self.expr(value.real)}, {self.expr(value.imag)})"
            case ExtentNumber():
                return self.value(self.machine.number_ref(value), ValueSpec("int"))
            case JaxArray():
                return self._jax(value)
            case LiveObject() | Boxed():
                return self.value(value.ref, ValueSpec("object"))
            case LiveType():
                return f"type({self.expr(value.value)})"
            case NumpyScalar():
                if value.source is not None:
                    return self.object(value.source)
                return self.value(value.ref, ValueSpec("npscalar", value.dtype))
            case NumpyArray():
                return self._numpy(value)
            case TupleValue():
                return self._tuple(value)
            case SliceValue() | RangeValue():
                name = "slice" if isinstance(value, SliceValue) else "range"
                return f"{name}({self.expr(value.start)}, {self.expr(value.stop)}, {self.expr(value.step)})"
            case TextValue():
                return self.text(value)
            case TextCall():
                args = [self.expr(a) for a in value.args]
                if value.name == "chr":
                    return f"chr({args[0]})"
                if value.name == "%":
                    return f"({self.expr(value.text)} % ({''.join(a + ', ' for a in args)}))"
                return f"{self.expr(value.text)}.{value.name}({', '.join(args)})"
            case ViewValue():
                return f"{self.expr(value.dict)}.{value.kind}()"
            case PartialValue():
                given = [self.expr(value.function), *map(self.expr, value.args)]
                given += [f"{k}={self.expr(v)}" for k, v in value.kwargs]
                return f"{self.constant(functools.partial)}({', '.join(given)})"
            case UnionValue():
                return self._union(value)
            case MethodValue():
                method = self.constant(types.MethodType)
                return f"{method}({self.expr(value.function)}, {self.expr(value.self)})"
            case MemberValue():
                return f"{self.expr(value.self)}.{value.name}"
            case HeapRef():
                return self._heap(value)
            case FunctionValue():
                return self._function(value)
        raise Break("JN506", f"a {type(value).__name__} cannot be rebuilt in Python")

    def _union(self, value: UnionValue) -> str:
        which = self.value(value.which, ValueSpec("int"))
        *others, (_, last) = value.options
        # Objects are made first, whichever it is: what a conditional expression makes has no lasting name.
        made = [(tag, self.expr(option)) for tag, option in others]
        text = self.expr(last)
        for tag, expr in reversed(made):
            text = f"{expr} if {which} == {tag} else {text}"
        return f"({text})"

    def _jax(self, value: JaxArray) -> str:
        if value.source is not None:
            return self.object(value.source)
        known = self._known_object(value.id)
        if known is not None:
            return known
        self.machine.lending.leave(value.id, self._lent, escapes=self.escapes)
        name = self._fresh(value)
        if value.choice is not None:
            which = self.value(value.choice, ValueSpec("int"))
            for number, source in value.choices:
                name = f"{self.object(source)} if {which} == {number} else {name}"
            name = self.temp(name)
        name = self._origin(value.live, name)
        self._memo[value.id] = name
        if self.escapes:
            self.lines.append(f"{self.env()}[{value.id}] = {name}")
            self.state.escaped |= {value.id}
        return name

    def _fresh(self, value: JaxArray) -> str:
        """Return a new array of JAX's."""
        dims = words(value.dtype)
        if not dims:
            return self.value(value.ref, ValueSpec("jax", value.dtype, value.shape, value.weak), fresh=True)
        kind: Literal["numpy", "jax"] = "numpy" if is_complex(value.dtype) else "jax"
        spec = ValueSpec(kind, word(value.dtype), (*value.shape, *dims))
        make = self.constant(FromWords(value.dtype, value.weak))
        return self.temp(f"{make}({self.value(value.ref, spec, fresh=True)})")

    def _origin(self, live: Value | None, name: str) -> str:
        """Return the array that a live object is, if there is one, in place of the one just made."""
        if live is None:
            return name
        found = self.value(live, ValueSpec("object"))
        return self.temp(f"{found} if {found} is not None else {name}")

    def _numpy(self, value: NumpyArray) -> str:
        if value.source is not None:
            return self.object(value.source)
        known = self._known_object(value.id)
        if known is not None:
            return known
        base = self._storage(value.storage)
        if value.live is not None:
            if value.view or self.escapes:
                raise Break("JN506", "a view of an array that may be from outside")
            base = self._origin(value.live, base)
        if not value.view:
            self._memo[value.id] = base
            return base
        for step in value.view:
            base = f"{base}{self.view(step)}"
        return self._made(value.id, base)

    def _storage(self, storage: int) -> str:
        source = self.machine.storage_source(storage)
        if source is not None:
            return self.object(source)
        known = self._known_object(storage)
        if known is not None:
            return known
        self.machine.lending.leave(storage, self._lent, escapes=self.escapes)
        content = self.machine.content(self.state, storage)
        name = self.value(content.ref, ValueSpec("numpy", content.dtype, content.shape), fresh=True)
        self._memo[storage] = name
        if self.escapes:
            self.lines.append(f"{self.env()}[{storage}] = {name}")
            self.state.escaped |= {storage}
        return name

    def view(self, step: ViewStep) -> str:
        """Return the Python suffix that makes one view of an array."""
        if step.kind == "transpose":
            return f".transpose({self.constant(tuple(step.args))})"
        if step.kind == "reshape":
            return f".reshape(({''.join(self._extent(e) + ', ' for e in step.args)}))"
        if any(item == "readonly" or (len(item) == 3 and item[2] == 0) for item in step.args):
            raise Break("JN506", "a read-only or broadcast view")
        # Without `...` a subscript that drops all axes makes a scalar.
        parts = ["..."] if all(item[0] == "drop" for item in step.args) else []
        for item in step.args:
            if item == "new":
                parts.append("None")
            elif item[0] == "drop":
                parts.append(self._extent(item[1]))
            else:
                start, size, stride = item
                first = self._extent(start)
                if stride > 0:
                    parts.append(f"{first}:{first}+({self._extent(size)})*{stride}:{stride}")
                else:
                    parts.append(
                        f"slice({first}, (lambda e: e if e >= 0 else None)({first}+({self._extent(size)})*{stride}), {stride})"
                    )
        return f"[{', '.join(parts)}{',' if len(parts) == 1 else ''}]"

    def _extent(self, extent: Any) -> str:
        if isinstance(extent, Value):
            return self.value(extent, ValueSpec("int"))
        if isinstance(extent, int):
            return repr(extent)
        return self.expr(ExtentNumber(extent))

    def _tuple(self, value: TupleValue) -> str:
        if value.source is not None:
            return self.object(value.source)
        items = "".join(self.expr(i) + ", " for i in value.items)
        if value.cls is tuple:
            return f"({items})"
        self._check_class(value.cls)
        if not hasattr(value.cls, "_make"):
            raise Break("JN506", f"a {value.cls.__name__} outlives compiled code")
        return f"{self.constant(value.cls)}._make(({items}))"

    def text(self, value: TextValue) -> str:
        pieces = []
        for part in value.parts:
            if isinstance(part, str):
                pieces.append(repr(part))
                continue
            inner, conversion, spec = part
            expr = self.expr(inner)
            if conversion:
                expr = f"{ {'s': 'str', 'r': 'repr', 'a': 'ascii'}[conversion] }({expr})"
            pieces.append(f"format({expr}, {spec!r})")
        return f"''.join(({''.join(p + ', ' for p in pieces)}))"

    def _heap(self, value: HeapRef) -> str:
        source = self.machine.object_source(value.id)
        if source is not None:
            return self.object(source)
        known = self._known_object(value.id)
        if known is not None:
            return known
        if value.id in self._open:
            raise Break("JN506", "an object that contains itself")
        self._open.add(value.id)
        content = self.state.heap.get(value.id)
        if not isinstance(content, RowContent):
            content = self.machine.content(self.state, value.id)
        try:
            return self._make(value, content)
        finally:
            self._open.discard(value.id)

    def _make(self, value: HeapRef, content: Any) -> str:
        from janus_mlir.capture.boundary import list_sites

        match value, content:
            case ListRef(), RowContent():
                return (
                    f"{list_sites.pool(self, content.storage)}[{self.value(content.row, ValueSpec('int'))}]"
                )
            case ListRef(), ListContent(items=tuple() as items):
                self.machine.lending.leave(value.id, self._lent, escapes=self.escapes)
                return self._made(value.id, self._list(value, f"[{', '.join(map(self.expr, items))}]"))
            case ListRef(), VectorContent():
                if has_arrays(content.layout):
                    self.machine.lending.leave(value.id, self._lent, escapes=self.escapes, as_list=True)
                return self._made(value.id, self._list(value, list_sites.items(self, content)))
            case AttributesRef(), _:
                raise Break("JN506", "the `__dict__` of an object outlives compiled code")
            case DictRef(), DictContent(complete=True):
                entries = ", ".join(f"{self.constant(k)}: {self.expr(v)}" for k, v in content.entries)
                return self._made(value.id, self._dict(value, f"{{{entries}}}"))
            case DictRef() | SetRef(), TableContent():
                return self._made(value.id, self._table(value, content))
            case CompressedRef(), CompressedContent():
                shape = content.data.type.shape  # type: ignore[union-attr]
                data = self.value(content.data, ValueSpec("numpy", content.dtype, shape), fresh=True)
                mask = self.value(content.mask, ValueSpec("numpy", np.dtype(np.bool_), shape), fresh=True)
                return self._made(value.id, f"{data}[{mask}]")
            case SetRef(), SetContent():
                return self._made(value.id, self._set(value, content))
            case ObjectRef(), ObjectContent() if is_exception(self.machine, value):
                return self._exception(value, content)
            case ObjectRef(), ObjectContent():
                cls = self.machine.object_class(value.id)
                self._check_class(cls)
                attrs = [(name, self.expr(item)) for name, item in content.written]
                name = self._made(value.id, f"object.__new__({self.constant(cls)})")
                self.lines += [f"object.__setattr__({name}, {k!r}, {v})" for k, v in attrs]
                return name
            case IteratorRef(), IteratorContent():
                return self._made(value.id, self._iterator(content))
        raise Break("JN506", f"a {type(value).__name__} cannot be rebuilt in Python")

    def _exception(self, value: ObjectRef, content: ObjectContent) -> str:
        cls = self.machine.object_class(value.id)
        self._check_class(cls)
        if value.id in self.machine.raised:
            raise Break("JN506", "an exception that was raised in compiled code, whose traceback is lost,")
        attrs = [(name, self.expr(item)) for name, item in content.written if name != "__suppress_context__"]
        name = self._made(value.id, f"{self.constant(BaseException.__new__)}({self.constant(cls)})")
        self.lines += [f"{name}.{k} = {v}" for k, v in attrs]
        return name

    def _list(self, value: ListRef, items: str) -> str:
        if value.cls is list:
            return items
        limit = "" if value.limit is None else f", {value.limit}"
        return f"{self.constant(value.cls)}({items}{limit})"

    def _dict(self, value: DictRef, entries: str) -> str:
        if value.cls is dict:
            return entries
        if value.factory is not None:
            return f"{self.constant(value.cls)}({self.expr(value.factory)}, {entries})"
        return f"{self.constant(value.cls)}({entries})"

    def _set(self, value: SetRef, content: SetContent) -> str:
        from janus_mlir.capture.sets import order_matters

        if order_matters(content):
            # A set of this content built here could be iterated over in another order than Python's.
            raise Break("JN506", "a set whose order depends on how it was built")
        return (
            f"{self.constant(value.cls)}(({''.join(self.constant(i) + ', ' for i in content.items or ())}))"
        )

    def _table(self, value: DictRef | SetRef, content: TableContent) -> str:
        keys = self.expr(content.keys)
        if isinstance(value, DictRef) and content.values is not None:
            return self._dict(value, f"dict(zip({keys}, {self.expr(content.values)}))")
        if not content.ordered:
            raise Break("JN506", "a set whose order depends on how it was built")
        return f"{self.constant(value.cls)}({keys})" if isinstance(value, SetRef) else keys

    def _iterator(self, content: IteratorContent) -> str:
        if content.kind == "list" and content.position is not None:
            items, position = self.expr(content.parts[0]), self.expr(content.position)
            return f"{self.constant(list_iterator)}({items}, {position})"
        if content.parts and content.kind == "sequence":
            raise Break("JN506", "an iterator over a dict or set")
        if content.kind in ("sequence", "reversed"):
            return f"iter([{', '.join(map(self.expr, content.items))}])"
        if content.kind == "range" and content.position is not None and content.length is not None:
            start, step = map(self.expr, content.parts)
            position, length = self.expr(content.position), self.expr(content.length)
            return (
                f"iter(range(({start}) + ({position}) * ({step}), ({start}) + ({length}) * ({step}), {step}))"
            )
        if content.kind == "array" and content.position is not None:
            array, position = self.expr(content.parts[0]), self.expr(content.position)
            return f"iter(({array})[{position}:])"
        if content.kind == "enumerate" and content.position is not None:
            return f"enumerate({self.expr(content.parts[0])}, {self.expr(content.position)})"
        if content.kind == "zip":
            return f"zip({', '.join(map(self.expr, content.parts))})"
        if content.kind == "map":
            return f"map({', '.join(map(self.expr, content.parts))})"
        raise Break("JN506", "an iterator cannot be rebuilt in Python")

    def _function(self, value: FunctionValue) -> str:
        if value.source is not None:
            return self.object(value.source)
        if value.cells:
            raise Break("JN506", "a function made in compiled code that closes over its variables")
        known = self._known_object(value.id)
        if known is not None:
            return known
        build = self.constant(self.machine.function_builder(value))
        defaults = "".join(self.expr(d) + ", " for d in value.defaults)
        kwdefaults = ", ".join(f"{k!r}: {self.expr(v)}" for k, v in value.kwdefaults)
        return self._made(value.id, f"{build}(({defaults}), {{{kwdefaults}}})")

    # ---- the whole ------------------------------------------------------------------

    def finish(self, site: Site, result: str) -> None:
        """Store the written function in `site`."""
        names = "".join(f", v{i}" for i in range(len(self.values)))
        body = "".join(f"    {line}\n" for line in self.lines)
        site.source = f"def site(o{names}):\n{body}    return {result}\n"
        site.specs = self.specs
        site.constants = self.constants
        if site.kind == "return" and not self.lines:
            if len(self.values) == 1 and result == "v0":
                site.fast = "single"
            elif self.values and result == "(" + "".join(f"v{i}, " for i in range(len(self.values))) + ")":
                site.fast = "tuple"
            elif not self.values and result == "None":
                site.fast = "none"
