"""Assignment to slices of lists, and their deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.containers import list_items, new_list, replace_items, replace_vector
from janus_mlir.capture.dynamic.layouts import has_arrays
from janus_mlir.capture.heap import VectorContent
from janus_mlir.capture.iteration import collect, get_iterator
from janus_mlir.capture.library import lists as library
from janus_mlir.capture.values import Abstract, Known, ListRef, SliceValue, TupleValue, bounds

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


def is_slice(index: Abstract) -> bool:
    """Whether a subscript is a slice."""
    return isinstance(index, SliceValue) or (isinstance(index, Known) and isinstance(index.value, slice))


def set_slice(m: Machine, value: ListRef, index: Abstract, item: Abstract) -> None:
    """Do ``value[a:b:c] = item``."""
    if isinstance(item, ListRef) and item.id == value.id:
        item = library.call(m, library.to_list, item)
    found = collect(m, get_iterator(m, item))
    static = isinstance(found, list) and not isinstance(m.get(value.id), VectorContent)
    if not static or not isinstance(index, Known):
        more = found if isinstance(found, ListRef) else TupleValue(tuple(found))
        _splice(m, value, index, more)
        return
    assert isinstance(found, list)
    items = list(list_items(m, value))
    try:
        items[index.value] = found
    except ValueError as error:
        raise Break("JN208", str(error)) from None
    new = new_list(m, tuple(found))
    replace_items(m, value, tuple(items), "list items", "{0}[{1}] = {2}", index, new)


def delete_slice(m: Machine, value: ListRef, index: Abstract) -> None:
    """Do ``del value[a:b:c]``."""
    if not isinstance(index, Known) or isinstance(m.get(value.id), VectorContent):
        _splice(m, value, index, TupleValue(()))
        return
    items = list(list_items(m, value))
    del items[index.value]
    replace_items(m, value, tuple(items), "list items deleted", "del {0}[{1}]", index)


def _splice(m: Machine, value: ListRef, index: Abstract, more: Abstract) -> None:
    """Put `more` in the place of a slice of which the bounds, or the items, are only known at run time."""
    start, stop, step = bounds(index)
    if not (isinstance(step, Known) and step.value in (None, 1)):
        raise Break("JN215", "a list slice with a step is set at a run-time index")
    if value.cls is not list:
        raise Break("JN215", f"a slice of a {value.cls.__name__} is set")
    made = library.call(m, library.spliced, value, start, stop, more)
    assert isinstance(made, ListRef)
    content = m.get(made.id)
    if not isinstance(content, VectorContent):
        replace_items(m, value, list_items(m, made), "list items", "{0}[:] = {1}", made)
        return
    if has_arrays(content.layout):
        raise Break("JN218", "a slice of a list of arrays is set at a run-time index")
    replace_vector(m, value, content, "list items", "{0}[:] = {1}", made)
