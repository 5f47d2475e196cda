"""Operators and methods that `collections.Counter` has beyond those of a dict."""

from __future__ import annotations

import collections
import operator
from typing import TYPE_CHECKING

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.dynamic import tables
from janus_mlir.capture.heap import DictContent, TableContent
from janus_mlir.capture.library import lists as library
from janus_mlir.capture.library import tables as library_tables
from janus_mlir.capture.values import Abstract, DictRef, Known, ListRef, constants

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

#: Operators that give another Counter, of which only positive counts are kept.
OPERATORS = ("add", "sub", "or_", "and_")


def is_counter(value: Abstract) -> bool:
    """Whether a value is a Counter."""
    return isinstance(value, DictRef) and value.cls is collections.Counter


def _plain(m: Machine, value: DictRef) -> collections.Counter[object] | None:
    """Return a Counter of constants, None if some keys or counts are only known at run time."""
    from janus_mlir.capture.containers import dict_entries

    if tables.content_of(m, value) is not None:
        return None
    entries = dict_entries(m, value)
    counts = constants(v for _, v in entries)
    if counts is None:
        return None
    return collections.Counter(dict(zip((k for k, _ in entries), counts, strict=True)))


def _counts(content: TableContent) -> ListRef:
    assert content.values is not None
    return content.values


def binary(m: Machine, op: str, a: DictRef, b: DictRef) -> Abstract:
    """Return ``a op b`` of two Counters."""
    x, y = _plain(m, a), _plain(m, b)
    if x is not None and y is not None:
        made = getattr(operator, op)(x, y)
        handle = DictRef(cls=collections.Counter)
        m.put(handle.id, DictContent(tuple((k, Known(v)) for k, v in made.items())))
        return handle
    # As loops within loops over keys this would take longer to compile than it is worth.
    raise Break("JN214", "an operator of Counters whose keys or counts are only known at run time")


def equal(m: Machine, op: str, a: DictRef, b: DictRef) -> Abstract:
    """Return ``a == b`` or ``a != b`` of two Counters: what is missing counts as zero."""
    from janus_mlir.capture.operators import unary

    x, y = _plain(m, a), _plain(m, b)
    if x is not None and y is not None:
        return Known((x == y) == (op == "eq"))
    one, two = tables.make(m, a), tables.make(m, b)
    same = library.call(m, library_tables.counter_same, one.keys, _counts(one), two.keys, _counts(two))
    return same if op == "eq" else unary(m, "not_", same)


def elements(m: Machine, value: DictRef) -> Abstract:
    """Return ``value.elements()``."""
    from janus_mlir.capture.iteration import get_iterator

    content = tables.make(m, value)
    return get_iterator(m, library.call(m, library_tables.counter_elements, content.keys, _counts(content)))
