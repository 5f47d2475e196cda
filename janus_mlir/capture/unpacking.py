"""Unpacking: assignments to several targets, and lists with stars in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from janus_mlir.capture import boxed, live
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.containers import get_item, items_of, length, new_list
from janus_mlir.capture.dynamic import rows
from janus_mlir.capture.graph import Value
from janus_mlir.capture.heap import VectorContent
from janus_mlir.capture.numbers import compare_numbers
from janus_mlir.capture.values import Abstract, Boxed, JaxArray, Known, ListRef, LiveObject, NumpyArray

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


def _unpacking(count: int) -> Any:
    """Return a function that unpacks a list into `count` variables."""
    names = ", ".join(f"x{i}" for i in range(count))
    namespace: dict[str, Any] = {}
    exec(f"def unpack(items):\n    [{names}] = items\n", namespace)
    return namespace["unpack"]


def unpack(m: Machine, value: Abstract, count: int, star: int | None) -> list[Abstract]:
    """Return the values for the targets of an unpacking assignment."""
    if isinstance(value, Boxed) and star is None:
        same = compare_numbers(m, "eq", boxed.length(m, value), Known(count))
        if isinstance(same, Value):
            m.guard(same, "shape", text=f"there are {count} values to unpack")
        return [boxed.get_item(m, value, Known(i)) for i in range(count)]
    if isinstance(value, LiveObject):
        if star is not None:
            raise Break("JN218", "starred unpacking of a live object")
        return live.unpack(m, value, count)
    if isinstance(value, (JaxArray, NumpyArray)):
        if not value.shape or not isinstance(value.shape[0], int):
            raise Break("JN218", "unpacking along a symbolic extent")
        items = [get_item(m, value, Known(i)) for i in range(value.shape[0])]
    elif isinstance(value, ListRef) and isinstance(m.get(value.id), VectorContent) and star is not None:
        return _unpack_starred(m, value, count, star)
    elif isinstance(value, ListRef) and isinstance(m.get(value.id), VectorContent):
        same = compare_numbers(m, "eq", length(m, value), Known(count))
        if isinstance(same, Value):
            m.guard(same, "shape", text=f"there are {count} values to unpack")
        return [get_item(m, value, Known(i)) for i in range(count)]
    else:
        found = items_of(m, value)
        if found is None:
            from janus_mlir.capture.iteration import exhaust, get_iterator

            found = exhaust(m, get_iterator(m, value))
        items = found
    if star is None:
        if len(items) != count:
            raise Failed.by(_unpacking(count), items)
        return items
    after = count - star - 1
    if len(items) < count - 1:
        text = f"not enough values to unpack (expected at least {count - 1}, got {len(items)})"
        raise Failed(ValueError, text)
    middle = new_list(m, tuple(items[star : len(items) - after]))
    return [*items[:star], middle, *items[len(items) - after :]]


def _unpack_starred(m: Machine, value: ListRef, count: int, star: int) -> list[Abstract]:
    """Unpack a list of run-time length of which one target takes all that the others leave."""
    after = count - star - 1
    enough = compare_numbers(m, "ge", length(m, value), Known(count - 1))
    if isinstance(enough, Value):
        m.guard(enough, "shape", text=f"there are at least {count - 1} values to unpack")
    first = [get_item(m, value, Known(i)) for i in range(star)]
    middle = get_item(m, value, Known(slice(star, -after if after else None)))
    return [*first, middle, *(get_item(m, value, Known(i)) for i in range(-after, 0))]


def build_list(m: Machine, items: list[tuple[Abstract, bool]]) -> ListRef:
    """Return the list of a display; what is starred may have a run-time number of items."""
    from janus_mlir.capture.iteration import collect

    made: ListRef | None = None
    last: list[Abstract] = []
    for value, starred in items:
        with m.keep(*last, *([] if made is None else [made]), *(other for other, _ in items)):
            found = collect(m, value) if starred else [rows.taken(m, value)]
            if isinstance(found, list):
                last += found
                continue
            before = new_list(m, tuple(last)) if made is None else _joined(m, made, new_list(m, tuple(last)))
            made, last = _joined(m, before, found), []
    if made is None:
        return new_list(m, tuple(last))
    return _joined(m, made, new_list(m, tuple(last))) if last else made


def _joined(m: Machine, a: ListRef, b: ListRef) -> ListRef:
    from janus_mlir.capture.library import lists as library

    made = library.call(m, library.concatenated, a, b)
    assert isinstance(made, ListRef)
    return made
