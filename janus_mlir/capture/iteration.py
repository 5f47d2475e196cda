"""Iterators of symbolic execution: ranges, containers, leading axes, ``enumerate``, ``zip``, ``map``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from janus_mlir.capture import boxed, live, sharing
from janus_mlir.capture.boundary.sources import Index, Source
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.containers import items_of
from janus_mlir.capture.dynamic import tables
from janus_mlir.capture.exceptions import Raised
from janus_mlir.capture.function import FunctionContext
from janus_mlir.capture.generators import finish_generator, generator_content, resume_inline
from janus_mlir.capture.graph import BOOL, Value
from janus_mlir.capture.heap import GeneratorContent, IteratorContent, ListContent, RowContent, VectorContent
from janus_mlir.capture.numbers import compare_numbers, number_binary, select_number
from janus_mlir.capture.reading import code as c
from janus_mlir.capture.state import INLINE, Frame, State
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
    CompressedRef,
    DictRef,
    ExtentNumber,
    IteratorRef,
    JaxArray,
    Known,
    ListRef,
    LiveObject,
    Number,
    NumpyArray,
    ObjectRef,
    RangeValue,
    SetRef,
    TextValue,
    TupleValue,
    ViewValue,
    constants,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


@dataclass(slots=True)
class NextItem:
    """Outcome of asking an iterator: whether there is another item, and how to take it."""

    more: bool | Value
    advance: Callable[[Machine], Abstract]


def make_iterator(m: Machine, content: IteratorContent) -> IteratorRef:
    """Return a new iterator."""
    handle = IteratorRef()
    m.put(handle.id, content)
    return handle


def extent_value(extent: Any) -> Abstract:
    """Return an array extent as a Python number."""
    return Known(extent) if isinstance(extent, int) else ExtentNumber(extent)


def range_length(m: Machine, value: RangeValue) -> Abstract:
    """Return ``len(range)``."""
    bounds = constants((value.start, value.stop, value.step))
    if bounds is not None:
        return Known(len(range(*bounds)))
    span = number_binary(m, "sub", value.stop, value.start)
    if isinstance(value.step, Known):
        sign: Abstract = Known(1 if value.step.value > 0 else -1)
    else:
        sign = select_number(m, compare_numbers(m, "gt", value.step, Known(0)), Known(1), Known(-1))
    # Rounded away from zero: the last step may be cut short.
    count = number_binary(m, "add", span, number_binary(m, "sub", value.step, sign))
    return _clamp(m, number_binary(m, "floordiv", count, value.step))


def reversed_range(m: Machine, value: RangeValue) -> Abstract:
    """Return ``reversed(range)``."""
    length = range_length(m, value)
    before = number_binary(m, "sub", length, Known(1))
    last = number_binary(m, "add", value.start, number_binary(m, "mul", before, value.step))
    back = number_binary(m, "mul", value.step, Known(-1))
    return make_iterator(m, IteratorContent("range", (), (last, back), Known(0), length))


def _clamp(m: Machine, count: Abstract) -> Abstract:
    if isinstance(count, Known):
        return Known(max(count.value, 0))
    if isinstance(count, ExtentNumber):
        return count
    positive = compare_numbers(m, "gt", count, Known(0))
    return select_number(m, positive, count, Known(0))


def _streamed(m: Machine, value: Abstract) -> Abstract:
    """Return a list or tuple as a live object if its items are to be read at run time."""
    source = _outside_source(m, value)
    if source is None or source not in m.live.facts.streamed or m.pure:
        return value
    if isinstance(value, ListRef) and value.id in m.state.heap:
        return value
    return live.from_source(m, source, source.fetch(m.arguments), ("outside", source))


def _outside_source(m: Machine, value: Abstract) -> Source | None:
    if isinstance(value, ListRef):
        return m.outside.source(value.id)
    return value.source if isinstance(value, TupleValue) else None


def over_outside(m: Machine, iterator: Abstract) -> Source | None:
    """Return the outside list or tuple whose items an iterator goes through, also beside others or counted."""
    content = m.get(iterator.id) if isinstance(iterator, IteratorRef) else None
    if not isinstance(content, IteratorContent):
        return None
    if content.kind == "sequence":
        items = (m.outside.source(item.id) for item in content.items if isinstance(item, ObjectRef))
        return next((item.base for item in items if isinstance(item, Index)), None)
    if content.kind not in ("list", "enumerate", "zip"):
        return None
    found = (_outside_source(m, p) if content.kind == "list" else over_outside(m, p) for p in content.parts)
    return next((source for source in found if source is not None), None)


def get_iterator(m: Machine, value: Abstract) -> Abstract:
    """Return ``iter(value)``."""
    if isinstance(value, IteratorRef):
        return value
    value = _streamed(m, value)
    if isinstance(value, LiveObject):
        return make_iterator(
            m, IteratorContent("live", (), (value,), Known(0), live.length(m, value, iterated=True))
        )
    if isinstance(value, Known) and isinstance(value.value, range):
        r = value.value
        value = RangeValue(Known(r.start), Known(r.stop), Known(r.step))
    if isinstance(value, RangeValue):
        length = range_length(m, value)
        return make_iterator(m, IteratorContent("range", (), (value.start, value.step), Known(0), length))
    if isinstance(value, (Boxed, TextValue)):
        return boxed.iterate(m, boxed.as_object(m, value))
    if isinstance(value, (JaxArray, NumpyArray)):
        if not value.shape:
            raise Break("JN208", "iteration over a 0-d array")
        return make_iterator(
            m, IteratorContent("array", (), (value,), Known(0), extent_value(value.shape[0]))
        )
    if isinstance(value, ObjectRef):
        from janus_mlir.capture.attributes import class_attribute
        from janus_mlir.capture.calls import call_inline

        function = class_attribute(m, value, "__iter__")
        if function is None:
            raise Break("JN218", "iteration over an object")
        found = call_inline(m, function, [value])
        if not isinstance(found, (IteratorRef, ObjectRef)):
            raise Break("JN218", "`__iter__` does not return an iterator")
        return found
    if isinstance(value, CompressedRef):
        from janus_mlir.capture.library import lists as library

        return get_iterator(m, library.call(m, library.scalar_items, value))
    if isinstance(value, ListRef):
        if not isinstance(m.get(value.id), VectorContent):
            items_of(m, value)  # an outside list is read
        return make_iterator(m, IteratorContent("list", (), (value,), Known(0)))
    table = value.dict if isinstance(value, ViewValue) else value
    if tables.content_of(m, table) is not None:
        if not isinstance(table, DictRef):
            raise Break("JN214", "iteration over a set whose order depends on run-time values")
        return tables.iterate(m, table, value.kind if isinstance(value, ViewValue) else "keys")
    items = items_of(m, value)
    source = value.dict if isinstance(value, ViewValue) else value
    if items is not None and isinstance(source, (DictRef, SetRef)):
        return make_iterator(m, IteratorContent("sequence", tuple(items), (source,), Known(len(items))))
    if items is None:
        raise Break("JN218", f"iteration over a {type(value).__name__}")
    return make_iterator(m, IteratorContent("sequence", tuple(items)))


def iterator_content(m: Machine, iterator: Abstract) -> IteratorContent:
    if not isinstance(iterator, IteratorRef):
        raise Break("JN218", "iteration over an unknown iterator")
    content: IteratorContent = m.get(iterator.id)
    return content


def next_item(m: Machine, iterator: Abstract) -> NextItem:
    """Ask an iterator for its next item, without taking it yet."""
    if isinstance(iterator, ObjectRef) or generator_content(m, iterator) is not None:
        return _ask(m, iterator)
    content = iterator_content(m, iterator)
    assert isinstance(iterator, IteratorRef)
    match content.kind:
        case "sequence" | "reversed":
            return _sequence(m, iterator, content)
        case "list":
            return _list(m, iterator, content)
        case "cycle":
            return _cycle(iterator, content)
        case "range" | "array" | "live" | "table":
            return _counted(m, iterator, content)
        case "enumerate":
            return _enumerate(m, iterator, content)
        case "zip" | "map":
            return _zip(m, iterator, content)


def _ask(m: Machine, iterator: Abstract) -> NextItem:
    """Ask an iterator whose code the user has written: that takes the item."""
    from janus_mlir.capture.attributes import class_attribute
    from janus_mlir.capture.calls import call_inline

    item: Abstract | None
    if isinstance(iterator, IteratorRef):
        item = resume_inline(m, iterator)
    else:
        function = class_attribute(m, iterator, "__next__") if isinstance(iterator, ObjectRef) else None
        if function is None:
            raise Break("JN218", "iteration over an object")
        try:
            item = call_inline(m, function, [iterator], expects=StopIteration)
        except Raised as error:
            if not issubclass(m.outside.classes[error.exception.id], StopIteration):
                raise
            item = None
    if item is None:
        return NextItem(False, lambda m: Known(None))
    found = item
    return NextItem(True, lambda m: found)


def _sequence(m: Machine, iterator: IteratorRef, content: IteratorContent) -> NextItem:
    if content.parts:
        from janus_mlir.capture.containers import length

        now = length(m, content.parts[0])
        if not (
            isinstance(now, Known)
            and isinstance(content.position, Known)
            and now.value == content.position.value
        ):
            what = "Set" if isinstance(content.parts[0], SetRef) else "dictionary"
            raise Failed(RuntimeError, f"{what} changed size during iteration")

    def advance(m: Machine) -> Abstract:
        m.put(iterator.id, replace(content, items=content.items[1:]))
        return content.items[0]

    return NextItem(bool(content.items), advance)


def _cycle(iterator: IteratorRef, content: IteratorContent) -> NextItem:
    position = content.position
    if len(content.items) > 1 and not isinstance(position, Known):
        raise Break("JN218", "itertools.cycle in a loop that is not unrolled")

    def advance(m: Machine) -> Abstract:
        if len(content.items) == 1:
            return content.items[0]
        assert isinstance(position, Known)
        m.put(iterator.id, replace(content, position=Known((position.value + 1) % len(content.items))))
        chosen: Abstract = content.items[position.value]
        return chosen

    return NextItem(True, advance)


def _list(m: Machine, iterator: IteratorRef, content: IteratorContent) -> NextItem:
    """A list is asked for its length and items anew each time, as Python does."""
    from janus_mlir.capture.containers import list_items
    from janus_mlir.capture.dynamic import vectors
    from janus_mlir.capture.numbers import as_int

    (items,), position = content.parts, content.position
    assert isinstance(items, ListRef) and position is not None
    vector = m.get(items.id)
    more: bool | Value
    if isinstance(vector, VectorContent) or not isinstance(position, Known):
        vector = vectors.vectorise(m, items)
        if vector.count is not None:
            more = compare_numbers(m, "lt", position, Known(vector.count))
        else:
            ends = [as_int(m, position), vectors.length(m, vector)]
            more = m.b.one("arith.cmpi", ends, BOOL, predicate="slt")
    else:
        more = position.value < len(list_items(m, items))
        if not more:
            m.put(iterator.id, IteratorContent("sequence"))

    def advance(m: Machine) -> Abstract:
        m.put(iterator.id, replace(content, position=count_up(m, position)))
        now = m.get(items.id)
        if isinstance(now, VectorContent):
            return vectors.borrow(m, items, vectors.read(m, now, as_int(m, position)))
        assert isinstance(position, Known)
        found: Abstract = list_items(m, items)[position.value]
        return found

    return NextItem(more, advance)


def _counted(m: Machine, iterator: IteratorRef, content: IteratorContent) -> NextItem:
    position, length = content.position, content.length
    assert position is not None and length is not None
    if content.kind == "table":
        from janus_mlir.capture.containers import length as length_of

        same = compare_numbers(m, "eq", length_of(m, content.parts[0]), length)
        failed = Failed(RuntimeError, "dictionary changed size during iteration")
        if same is False:
            raise failed
        if isinstance(same, Value):
            m.check(same, "shape", "the dict does not change size during iteration", failed)
    more = compare_numbers(m, "lt", position, length)

    def advance(m: Machine) -> Abstract:
        from janus_mlir.capture.containers import get_item

        m.put(iterator.id, replace(content, position=count_up(m, position)))
        if content.kind == "table":
            table, kind = content.parts
            assert isinstance(table, DictRef) and isinstance(kind, Known)
            return tables.entry(m, table, kind.value, position)
        if content.kind == "live":
            walked = content.parts[0]
            assert isinstance(walked, LiveObject)
            return live.next_of(m, walked, position)
        if content.kind == "array":
            return get_item(m, content.parts[0], position, checked=True)
        start, step = content.parts
        offset = number_binary(m, "mul", position, step, checked=False)
        return number_binary(m, "add", start, offset, checked=False)

    return NextItem(more, advance)


def count_up(m: Machine, position: Abstract) -> Abstract:
    """Return ``position + 1``, which cannot overflow."""
    following = number_binary(m, "add", position, Known(1), checked=False)
    if isinstance(position, Number) and isinstance(following, Number):
        root, offset = position.ref.step or (position.ref, 0)
        following.ref.step = root, offset + 1
    return following


def _enumerate(m: Machine, iterator: IteratorRef, content: IteratorContent) -> NextItem:
    inner = next_item(m, content.parts[0])
    position = content.position
    assert position is not None

    def advance(m: Machine) -> Abstract:
        item = inner.advance(m)
        m.put(iterator.id, replace(content, position=count_up(m, position)))
        return TupleValue((position, item))

    return NextItem(inner.more, advance)


def _zip(m: Machine, iterator: IteratorRef, content: IteratorContent) -> NextItem:
    parts = content.parts[1:] if content.kind == "map" else content.parts
    if len(parts) > 1 and sharing.share_items(m, iterator, parts):
        return sharing.one_by_one(m, content, parts)
    steps = []
    more: bool | Value = True
    for part in parts:
        step = next_item(m, part)
        steps.append(step)
        if step.more is False:
            more = False
            break
        if step.more is not True:
            more = step.more if isinstance(more, bool) else m.b.one("arith.andi", [more, step.more], BOOL)

    def advance(m: Machine) -> Abstract:
        items = tuple(step.advance(m) for step in steps)
        if content.kind == "map":
            from janus_mlir.capture.calls import call_inline

            return call_inline(m, content.parts[0], list(items))
        return TupleValue(items)

    return NextItem(more, advance)


#: Number of items of an endless iterator.
_FOREVER = 2**62


def static_length(m: Machine, state: State) -> int | None:
    """Return how many iterations the ``for`` loop at hand has left, None if only run time knows."""
    frame = state.top
    instrs = frame.function.code.instrs
    for pc in (frame.pc, frame.pc + 1):
        instr = instrs[pc]
        if isinstance(instr, c.ForIter):
            iterator = frame.vars.get(instr.iter)
            return None if iterator is None else _left(m, state, iterator)
    return None


def _left(m: Machine, state: State, iterator: Abstract) -> int | None:
    if not isinstance(iterator, IteratorRef):
        return None
    content: IteratorContent | GeneratorContent = m.content(state, iterator.id)
    if isinstance(content, GeneratorContent):
        return None
    if content.kind in ("sequence", "reversed"):
        return len(content.items)
    if content.kind == "list":
        (items,) = content.parts
        assert isinstance(items, ListRef)
        if isinstance(state.heap.get(items.id), RowContent):
            return None
        now = m.content(state, items.id)
        given = () if isinstance(now, VectorContent) else now.items
        count = now.count if isinstance(now, VectorContent) else None if given is None else len(given)
        if count is None or not isinstance(content.position, Known):
            return None
        return max(0, count - int(content.position.value))
    if content.kind in ("range", "array", "live", "table"):
        if isinstance(content.position, Known) and isinstance(content.length, Known):
            return int(content.length.value - content.position.value)
        return None
    if content.kind == "cycle":
        return _FOREVER
    parts = content.parts[:1] if content.kind == "enumerate" else content.parts
    parts = content.parts[1:] if content.kind == "map" else parts
    lengths = [_left(m, state, part) for part in parts]
    known = [n for n in lengths if n is not None]
    if known and min(known) == 0 and content.kind != "enumerate":
        return 0
    return min(known) if len(known) == len(lengths) and known else None


def runs_over_items(m: Machine, state: State) -> bool:
    """Whether the ``for`` loop at hand runs over given values, such as those of a list, and not over numbers or rows."""
    frame = state.top
    for pc in (frame.pc, frame.pc + 1):
        instr = frame.function.code.instrs[pc]
        if isinstance(instr, c.ForIter):
            return _over_items(m, state, frame.vars.get(instr.iter))
    return False


def _over_items(m: Machine, state: State, iterator: Abstract | None) -> bool:
    if not isinstance(iterator, IteratorRef):
        return False
    content: IteratorContent | GeneratorContent = m.content(state, iterator.id)
    if isinstance(content, GeneratorContent):
        return False
    if content.kind in ("sequence", "reversed"):
        return True
    return content.kind not in ("range", "array") and any(_over_items(m, state, p) for p in content.parts)


def lists_of(m: Machine, state: State, frame: Frame, head: int) -> list[ListRef]:
    """Return the lists, of constant length so far, that the ``for`` loop at `head` runs over."""
    found: list[ListRef] = []

    def look(iterator: Abstract | None) -> None:
        content = m.content(state, iterator.id) if isinstance(iterator, IteratorRef) else None
        if not isinstance(content, IteratorContent):
            return
        if content.kind == "list" and isinstance(content.parts[0], ListRef):
            raw = state.heap.get(content.parts[0].id)
            if not isinstance(raw, RowContent) and isinstance(
                m.content(state, content.parts[0].id), ListContent
            ):
                found.append(content.parts[0])
        elif content.kind in ("enumerate", "zip"):
            for part in content.parts:
                look(part)

    for pc in (head, head + 1):
        instr = frame.function.code.instrs[pc]
        if isinstance(instr, c.ForIter):
            look(frame.vars.get(instr.iter))
    return found


def runs_user_code(m: Machine, state: State) -> bool:
    """Whether the ``for`` loop at hand asks a generator, or an iterator of a user class."""
    frame = state.top
    for pc in (frame.pc, frame.pc + 1):
        instr = frame.function.code.instrs[pc]
        if isinstance(instr, c.ForIter):
            return _is_user_code(m, state, frame.vars.get(instr.iter))
    return False


def _is_user_code(m: Machine, state: State, iterator: Abstract | None) -> bool:
    if not isinstance(iterator, IteratorRef):
        return isinstance(iterator, ObjectRef)
    content = m.content(state, iterator.id)
    beside = content.parts if isinstance(content, IteratorContent) and content.kind == "enumerate" else ()
    return isinstance(content, GeneratorContent) or any(_is_user_code(m, state, part) for part in beside)


def static_count(m: Machine, iterator: Abstract) -> int | None:
    """Return how many items an iterator has left, None if only run time knows."""
    return _left(m, m.state, iterator)


def _all_of(m: Machine, iterator: Abstract, generator: GeneratorContent) -> list[Abstract] | ListRef:
    """Return the items of a generator that has not begun: run to its end, it appends them to a list."""
    from janus_mlir.capture.calls import finish_inline

    items = ListRef()
    m.put(items.id, ListContent(()))
    effects = m.state.effects
    depth, pc = m.state.where
    source, closure = generator.function.source, generator.function.closure
    function = FunctionContext(source, generator.function.namespace, closure, None)
    m.state.frames.append(Frame(function, 0, dict(generator.vars), INLINE, m.b.span, items))
    with m.keep(iterator):
        result = finish_inline(m, depth, pc)
    finish_generator(m, iterator)
    content = m.get(result.id) if isinstance(result, ListRef) else None
    assert isinstance(result, ListRef)
    if not isinstance(content, ListContent) or content.items is None:
        return result
    if m.state.effects != effects and any(isinstance(item, ObjectRef) for item in content.items):
        # What the consumer does with an item may have effects, too, before the next one is made.
        raise Break("JN105", "a generator with effects that is consumed at once")
    return list(content.items)


def collect(m: Machine, value: Abstract) -> list[Abstract] | ListRef:
    """Return the items of an iterable, or a list of them if only run time knows their number."""
    from janus_mlir.capture.library import lists as library

    if isinstance(value, ListRef) and isinstance(m.get(value.id), VectorContent):
        return value
    iterator = get_iterator(m, value)
    if static_count(m, iterator) is not None:
        return exhaust(m, iterator)
    generator = generator_content(m, iterator)
    if generator is not None and generator.pc == 0:
        return _all_of(m, iterator, generator)
    made = library.call(m, library.to_list, iterator)
    assert isinstance(made, ListRef)
    content = m.get(made.id)
    if isinstance(content, ListContent) and content.items is not None:
        return list(content.items)
    return made


def exhaust(m: Machine, iterator: Abstract) -> list[Abstract]:
    """Take all items of an iterator whose length is static."""
    items: list[Abstract] = []
    with m.keep(iterator):
        while True:
            step = next_item(m, iterator)
            if step.more is False:
                return items
            if step.more is not True:
                raise Break("JN218", "the number of items is only known at run time")
            if len(items) > 10_000:
                raise Break("JN604", "too many items")
            items.append(step.advance(m))
            m.pins.append(items[-1])
