"""Lists whose length only run time knows: items in tensors of some capacity, and the length as a number.

Such a list comes about where ways meet on which a list has got different numbers of items. Items are numbers,
arrays, constants, and tuples of these. The list copies arrays; `janus_mlir.capture.dynamic.lending` sees to it that this
goes unnoticed. A list that grows by one item in each iteration of a loop that counts has the counter for its length: behind the
loop the length is known.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.dynamic import rows
from janus_mlir.capture.dynamic.layouts import (
    ArrayLayout,
    Layout,
    NumberLayout,
    ScalarLayout,
    item_bytes,
    parts,
)
from janus_mlir.capture.dynamic.packing import (
    common_layout,
    inner_lists,
    lend,
    owned_ids,
    pack,
    unpack,
    widen,
)
from janus_mlir.capture.graph import BOOL, INT, Block, Value
from janus_mlir.capture.heap import ListContent, VectorContent
from janus_mlir.capture.numbers import make
from janus_mlir.capture.numpy.lax import Lax, shape_of, tensor_type
from janus_mlir.capture.scalars import DTYPES, number_kind
from janus_mlir.capture.speculation import Respecialise, Speculation
from janus_mlir.capture.values import Abstract, ExtentNumber, JaxArray, Known, ListRef, Number, constants

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

#: Bytes that one part of a list may take, where its capacity is a guess and where it is known.
_MAX_BYTES = 1 << 27
_MAX_KNOWN_BYTES = 1 << 31


def capacity(m: Machine, layout: Layout, at_least: int = 0) -> int:
    """Return the number of items for which lists of a layout get room."""
    most = _most(layout, _MAX_BYTES)
    if at_least > most:
        raise Break("JN218", "a list of run-time length that is too large")
    while m.speculation.capacity < at_least:
        m.speculation.capacity *= 8
        if m.speculation.capacity >= at_least:
            raise Respecialise
    return min(m.speculation.capacity, most)


def _most(layout: Layout, bytes: int) -> int:
    return max(4, bytes // item_bytes(layout))


def capacity_for(m: Machine, layout: Layout, known: int) -> int:
    """Return the capacity of a list that will have a known number of items; more if that was not enough before."""
    if known > _most(layout, _MAX_KNOWN_BYTES):
        raise Break("JN218", "a list of run-time length that is too large")
    return max(known, capacity(m, layout)) if has_grown(m) else max(known, 1)


def has_grown(m: Machine) -> bool:
    """Whether a list has had too little room before."""
    return m.speculation.capacity > Speculation().capacity


def from_items(
    m: Machine, layout: Layout, items: Sequence[Abstract], heap: dict[int, Any], size: Any
) -> tuple[Value, ...]:
    """Return the buffers of a list of the given items."""
    lx = Lax(m.b)
    columns: list[list[Value]] = [[] for _ in parts(layout)]
    for item in items:
        for column, ref in zip(columns, pack(m, layout, item, heap), strict=True):
            column.append(ref)
    buffers = []
    for part, column in zip(parts(layout), columns, strict=True):
        rows = [lx.reshape(ref, (1, *part.shape)) for ref in column]
        rest = size - len(rows)
        if not isinstance(rest, int) or rest > 0:
            rows.append(lx.full(0, part.dtype, (rest, *part.shape)))
        buffers.append(lx.concatenate(rows, 0))
    return tuple(buffers)


def enlarged(m: Machine, buffers: Sequence[Value], size: Any) -> tuple[Value, ...]:
    """Return buffers of another capacity."""
    lx = Lax(m.b)
    found = []
    for buffer in buffers:
        have, *rest = shape_of(buffer)
        if have != size:
            buffer = lx.concatenate([buffer, lx.full(0, tensor_type(buffer).dtype, (size - have, *rest))], 0)
        found.append(buffer)
    return tuple(found)


@dataclass(slots=True, eq=False)
class Packing:
    """The buffers of a list that is brought into a common layout where ways meet."""

    machine: Machine
    content: ListContent | VectorContent
    heap: dict[int, Any]
    layout: Layout
    size: Any
    _made: dict[int, tuple[Block, tuple[Value, ...]]] = field(default_factory=dict)

    def buffers(self) -> tuple[Value, ...]:
        """Emit the buffers in the current block (once)."""
        m = self.machine
        found = self._made.get(id(m.b.block))
        if found is None:
            if isinstance(self.content, VectorContent):
                refs = iter(enlarged(m, self.content.buffers, self.size))
                made = tuple(widen(m, self.content.layout, self.layout, refs, self.size))
            else:
                assert self.content.items is not None
                made = from_items(m, self.layout, self.content.items, self.heap, self.size)
            found = self._made[id(m.b.block)] = (m.b.block, made)
        return found[1]


@dataclass(frozen=True, slots=True, eq=False)
class Packed(Abstract):
    """One buffer of a `Packing`, as an operand of a phi."""

    packing: Packing
    index: int


@dataclass(frozen=True, slots=True, eq=False)
class Sum(Abstract):
    """An int that is a graph value plus a constant, as an operand of a phi."""

    base: Value
    offset: int

    def emit(self, m: Machine) -> Value:
        """Emit the sum."""
        return m.b.one("arith.addi", [self.base, m.const(self.offset)], INT, exact=True)


def length(m: Machine, content: VectorContent) -> Value:
    """Return the length as a graph value."""
    if content.base is None:
        return m.number_ref(length_number(m, content))
    return Sum(content.base, content.offset).emit(m) if content.offset else content.base


def length_number(m: Machine, content: VectorContent) -> Abstract:
    """Return the length as a Python number."""
    if content.base is not None:
        return make("int", length(m, content))
    return Known(content.offset) if content.count is not None else ExtentNumber(content.offset)


def at_run_time(m: Machine, content: VectorContent) -> VectorContent:
    """Return the content with its length as one value of the run time."""
    if content.base is not None and not content.offset:
        return content
    return VectorContent(content.layout, content.buffers, length(m, content))


def try_at_run_time(m: Machine, ref: ListRef, room: int = 0) -> bool:
    """Make a list one of which the length is a value of the run time; False if its items do not allow it."""
    try:
        m.put(ref.id, at_run_time(m, vectorise(m, ref, room)))
    except Break:
        return False
    return True


def size_of(content: VectorContent) -> Any:
    """Return the capacity of a list, which is an extent."""
    return shape_of(content.buffers[0])[0] if content.buffers else 1 << 40


def vectorise(m: Machine, ref: ListRef, room: int = 0) -> VectorContent:
    """Return the content of a list as one of run-time length, and make it so."""
    from janus_mlir.capture.containers import list_items

    content = m.get(ref.id)
    if isinstance(content, VectorContent):
        return content
    items = list_items(m, ref)
    for item in items:
        rows.taken(m, item)
    layout = common_layout(m, items, m.state.heap)
    if layout is None or _shared(m, ref, items):
        raise Break("JN218", "a list of run-time length of such items")
    size = capacity(m, layout, len(items) + room)
    buffers = from_items(m, layout, items, m.state.heap, size)
    made = VectorContent(layout, buffers, None, len(items))
    m.put(ref.id, made)
    return made


#: Items up to which a list in tensors is taken apart for what does not know such lists.
_MAX_APART = 256


def take_apart(m: Machine, ref: ListRef, content: VectorContent) -> ListContent:
    """Spell the items of a list of known length out."""
    if content.count is None or content.count > _MAX_APART:
        raise Break("JN218", "a list whose length is only known at run time")
    items = [read(m, content, m.const(i)) for i in range(content.count)]
    if m.lending.has_copies(ref.id):
        for i, item in enumerate(items):
            borrow(m, ref, item, i)
    made = ListContent(tuple(items))
    m.put(ref.id, made)
    return made


def stacked(m: Machine, content: VectorContent) -> Abstract | None:
    """Return the items as one array with an axis for them in front, None if they are no arrays or numbers of one kind."""
    extent, layout = content.extent, content.layout
    if extent is None or content.count == 0:
        return None
    if not isinstance(layout, (ArrayLayout, ScalarLayout, NumberLayout)):
        return None
    (buffer,) = content.buffers
    shape = shape_of(buffer)
    if shape[0] != extent:
        buffer = Lax(m.b).slice(buffer, (0,) * len(shape), (extent, *shape[1:]))
    if isinstance(layout, NumberLayout):
        return m.new_array(buffer, DTYPES[layout.kind])
    if isinstance(layout, ArrayLayout) and layout.weak is not None:
        return JaxArray(buffer, layout.dtype, shape_of(buffer), layout.weak)
    return m.new_array(buffer, layout.dtype)


_JOINING = ("stack", "concatenate", "vstack", "hstack", "dstack", "column_stack")
#: Functions to which a list is the same as one array of its items: of JAX, of NumPy, and those that join no numbers.
_OF_JAX_ROWS = frozenset(getattr(jnp, name) for name in ("array", "asarray", *_JOINING))
_OF_ROWS = frozenset(
    getattr(np, name)
    for name in (
        "array", "asarray", *_JOINING, "sum", "mean", "max", "min", "prod", "std", "var", "any", "all", "argmax", "argmin",
        "median", "cumsum", "transpose", "shape", "ndim",
    )
)  # fmt: skip
_STACKING = (np.stack, np.concatenate, jnp.stack, jnp.concatenate)
_OF_ARRAYS = frozenset(getattr(np, name) for name in _JOINING)


def as_array(m: Machine, function: Any, items: ListRef) -> Abstract:
    """Return what to pass to a function in place of a list: an array if it is in tensors, and that is all the same."""
    content = m.get(items.id)
    if not isinstance(content, VectorContent) or not isinstance(function, Hashable):
        return items
    layout = content.layout
    numbers = not isinstance(layout, ArrayLayout)
    weak = layout.weak if isinstance(layout, ArrayLayout) else None
    # JAX gives a list of numbers a type of its own, and NumPy makes arrays of JAX's.
    of_numpy = function in _OF_ROWS and weak is None and not (numbers and function in _OF_ARRAYS)
    of_jax = function in _OF_JAX_ROWS and not numbers and not weak
    return (stacked(m, content) if of_numpy or of_jax else None) or items


def join_items(
    m: Machine, function: Any, args: Sequence[Abstract], kwargs: dict[str, Abstract]
) -> Abstract | None:
    """Return ``stack`` or ``concatenate`` of a list of arrays; None if this is no such call, or the list is not in tensors."""
    given = constants([*args[1:], *kwargs.values()])
    if not any(function is known for known in _STACKING) or given is None or len(given) > 1:
        return None
    content = m.get(args[0].id) if isinstance(args[0], ListRef) else None
    axis = given[0] if given else 0
    if not isinstance(content, VectorContent) or not isinstance(content.layout, ArrayLayout):
        return None
    weak, rank = content.layout.weak, len(content.layout.shape)
    stacking = function is np.stack or function is jnp.stack
    if weak or (weak is None) is not (function in _OF_ARRAYS) or not {"axis"}.issuperset(kwargs):
        return None
    places = rank + 1 if stacking else rank
    array = stacked(m, content) if type(axis) is int and -places <= axis < places else None
    if array is None:
        return None
    lx, axis = Lax(m.b), axis % places
    ref = array.ref if isinstance(array, JaxArray) else m.read(array)  # type: ignore[arg-type]
    shape = shape_of(ref)
    ref = lx.transpose(ref, (*range(1, axis + 1), 0, *range(axis + 1, rank + 1)))
    if not stacking:
        item = content.layout.shape
        ref = lx.reshape(ref, (*item[:axis], shape[0] * item[axis], *item[axis + 1 :]))
    if weak is None:
        return m.new_array(ref, content.layout.dtype)
    return JaxArray(ref, content.layout.dtype, shape_of(ref))


def _shared(m: Machine, ref: ListRef, items: Sequence[Abstract]) -> bool:
    """Whether something that the list would copy has another name."""
    from janus_mlir.capture.state import references

    found = owned_ids(m, items, m.state.heap)
    if not found:
        return False
    if len(set(found)) != len(found):
        return True
    return bool(set(found) & others(m.state, {ref.id}, references))


def others(state: Any, without: set[int], references: Any) -> set[int]:
    """Return the ids that are reached without the contents of some heap entries."""
    heap = {key: content for key, content in state.heap.items() if key not in without}
    roots = [v for frame in state.frames for v in frame.vars.values()]
    roots += [frame.override for frame in state.frames] + [heap[k] for k in state.escaped if k in heap]
    found: set[int] = references(roots, heap)
    return found


def resized(m: Machine, content: VectorContent, layout: Layout) -> VectorContent:
    """Return the content in a wider layout."""
    if layout == content.layout:
        return content
    size = size_of(content)
    if isinstance(size, int) and _most(layout, _MAX_KNOWN_BYTES) < size:
        raise Break("JN218", "a list of run-time length that is too large")
    refs = iter(content.buffers)
    return replace(content, layout=layout, buffers=tuple(widen(m, content.layout, layout, refs, size)))


def position(m: Machine, content: VectorContent, index: Abstract) -> Value:
    """Return an index, counted from the start; out of range leaves compiled code."""
    from janus_mlir.capture.numbers import as_int

    if not (isinstance(index, (Number, ExtentNumber)) or number_kind(index) in ("int", "bool")):
        raise Break("JN215", "a subscript that is no int")
    if number_kind(index) == "float":
        raise Break("JN208", "a list index that is a float")
    known = known_position(content, index)
    if known is not None:
        return m.const(known)
    ref, end = as_int(m, index), length(m, content)
    if isinstance(index, Known) and index.value < 0 or not isinstance(index, Known):
        shifted = m.b.one("arith.addi", [ref, end], INT)
        negative = m.b.one("arith.cmpi", [ref, m.const(0)], BOOL, predicate="slt")
        ref = m.b.one("arith.select", [negative, shifted, ref], INT)
    inside = m.b.one("arith.cmpi", [ref, end], BOOL, predicate="ult")
    m.guard(inside, "bounds", text="the index is in range")
    return ref


def known_position(content: VectorContent, index: Abstract) -> int | None:
    """Return an index, counted from the start, if it and the length are known."""
    if content.count is None or not isinstance(index, Known) or type(index.value) is not int:
        return None
    return index.value % content.count if -content.count <= index.value < content.count else None


def _starts(lx: Lax, index: Value, rank: int) -> list[Value]:
    zero = lx.full(0, "i64")
    return [lx.tensor(index), *([zero] * (rank - 1))]


def read(m: Machine, content: VectorContent, index: Value) -> Abstract:
    """Return the item at an index that is in range."""
    lx = Lax(m.b)
    refs = []
    for buffer in content.buffers:
        shape = shape_of(buffer)
        row = lx.dynamic_slice(buffer, _starts(lx, index, len(shape)), (1, *shape[1:]))
        refs.append(lx.reshape(row, shape[1:]))
    return unpack(m, content.layout, iter(refs))


def write(m: Machine, content: VectorContent, index: Value, item: Abstract) -> VectorContent:
    """Return the content with the item at an index (within the capacity) replaced."""
    layout = common_layout(m, [item], m.state.heap, content.layout, any_array=True)
    if layout is None:
        raise Break("JN218", "a list of run-time length gets an item of another kind")
    content = resized(m, content, layout)
    lx = Lax(m.b)
    buffers = []
    for buffer, ref in zip(content.buffers, pack(m, layout, item, m.state.heap), strict=True):
        t = tensor_type(buffer)
        row = lx.reshape(ref, (1, *t.shape[1:]))
        buffers.append(lx.dynamic_update_slice(buffer, row, _starts(lx, index, t.rank)))
    return replace(content, layout=layout, buffers=tuple(buffers))


def borrow(m: Machine, ref: ListRef, item: Abstract, index: int | None = None) -> Abstract:
    """Note that what `item` consists of is a copy: what happens to it would have to be seen in the list."""
    m.lending.copy(ref.id, owned_ids(m, [item], m.state.heap), index)
    return item


def take_over(m: Machine, ref: ListRef, item: Abstract) -> None:
    """Make `item` one of a list; a list that has a name already is refused."""
    rows.taken(m, item)
    lists = inner_lists(m, [item], m.state.heap)
    if lists and (len(set(lists)) != len(lists) or are_named(m, lists)):
        raise Break("JN218", "a list that has another name goes into a list of run-time length")
    lend(m, ref.id, [item], m.state.heap, m.state.escaped)


def are_named(m: Machine, lists: Collection[int]) -> bool:
    """Whether one of some lists is still reached from a variable after the instruction at hand."""
    from janus_mlir.capture.state import references, tidy

    state = m.state.clone()
    state.top.pc = m.next_pc
    tidy(state, m.kept(), m.pins)
    return not others(state, set(), references).isdisjoint(lists)


def append_item(m: Machine, ref: ListRef, content: VectorContent, item: Abstract) -> VectorContent:
    """Return the content with an item more."""
    take_over(m, ref, item)
    size = size_of(content)
    if content.base is not None:
        end = m.const(size) if isinstance(size, int) else m.number_ref(ExtentNumber(size))
        room = m.b.one("arith.cmpi", [length(m, content), end], BOOL, predicate="slt")
        m.guard(room, "bounds", text="the list has room for another item", grows=True)
    elif not (content.count is not None and isinstance(size, int) and content.count < size):
        content = replace(content, buffers=enlarged(m, content.buffers, content.extent + 1))
    made = write(m, content, length(m, content), item)
    return replace(made, offset=made.offset + 1)


def section(m: Machine, ref: ListRef, content: VectorContent, bounds: Sequence[Abstract]) -> Abstract | None:
    """Return a slice of a list; None if the length or a bound is not known, or it is not of consecutive items."""
    given = constants(bounds)
    if content.count is None or given is None:
        return None
    try:
        start, stop, step = slice(*given).indices(content.count)
    except (TypeError, ValueError):
        return None
    if step != 1:
        return None
    size = max(stop - start, 0)
    if not size:
        return m.make_list([])
    lx = Lax(m.b)
    buffers = []
    for buffer in content.buffers:
        _, *rest = shape_of(buffer)
        buffers.append(lx.slice(buffer, (start, *([0] * len(rest))), (size, *rest)))
    made = ListRef()
    m.put(made.id, VectorContent(content.layout, tuple(buffers), None, size))
    m.lending.derive(made.id, ref.id, start)
    return made


def without_last(m: Machine, content: VectorContent) -> VectorContent:
    """Return the content without its last item (it has one)."""
    return replace(content, offset=content.offset - 1)


def without_first(m: Machine, content: VectorContent) -> VectorContent:
    """Return the content without its first item (it has one)."""
    lx = Lax(m.b)
    buffers = []
    for buffer in content.buffers:
        t = tensor_type(buffer)
        shape = (t.shape[0] - 1, *t.shape[1:])
        rest = lx.slice(buffer, (1, *([0] * (t.rank - 1))), shape)
        buffers.append(lx.concatenate([rest, lx.full(0, t.dtype, (1, *t.shape[1:]))], 0))
    return replace(content, buffers=tuple(buffers), offset=content.offset - 1)


def nonempty(m: Machine, content: VectorContent) -> None:
    """Leave compiled code if the list is empty."""
    if content.count:
        return
    some = m.b.one("arith.cmpi", [length(m, content), m.const(0)], BOOL, predicate="sgt")
    m.guard(some, "bounds", text="the list is not empty")
