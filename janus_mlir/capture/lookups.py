"""Membership, and dicts of which a key is only known at run time: it is compared with each key that there is."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

from janus_mlir.capture import boxed, sets
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.containers import constant_key, dict_entries, dict_get, items_of, record_mutation
from janus_mlir.capture.dynamic import tables
from janus_mlir.capture.graph import BOOL, INT, Value
from janus_mlir.capture.heap import DictContent, VectorContent
from janus_mlir.capture.numbers import compare_numbers, make
from janus_mlir.capture.scalars import number_kind
from janus_mlir.capture.sharing import Onward
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
    DictRef,
    ExtentNumber,
    IteratorRef,
    JaxArray,
    Known,
    ListRef,
    Number,
    NumpyArray,
    ObjectRef,
    RangeValue,
    SetRef,
    ViewValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


#: Entries of a dict of which one is looked up by comparing the key with each.
_MAX_ENTRIES = 24


def same_keys(m: Machine, value: DictRef, key: Abstract) -> list[tuple[bool | Value, Abstract]] | None:
    """Return, for each entry of a dict, whether a run-time key is its key; None if there are too many."""
    entries = dict_entries(m, value)
    if boxed.is_text(key) and len(entries) <= _MAX_ENTRIES:
        own = Boxed(boxed.box(m, key), str)
        return [(boxed.compare(m, "eq", own, Known(k)) if type(k) is str else False, v) for k, v in entries]
    if len(entries) > _MAX_ENTRIES or value.cls is collections.OrderedDict:
        return None
    found = []
    for known, item in entries:
        if isinstance(known, float) and known != known:
            return None
        same = compare_numbers(m, "eq", key, Known(known)) if isinstance(known, (bool, int, float)) else False
        found.append((same, item))
    return found


def any_of(m: Machine, tests: list[bool | Value]) -> bool | Value:
    """Return whether one of some conditions holds."""
    if True in tests:
        return True
    result: bool | Value = False
    for test in tests:
        if isinstance(test, Value):
            result = test if isinstance(result, bool) else m.b.one("arith.ori", [result, test], BOOL)
    return result


def lookup(m: Machine, value: DictRef, key: Abstract, default: Abstract | None) -> Abstract | None:
    """Return the value of a run-time key, or `default`; without one the key has to be there. None: not possible."""
    from janus_mlir.capture import unions

    plain = isinstance(key, (Number, ExtentNumber)) or boxed.is_text(key)
    same = same_keys(m, value, key) if plain else None
    if same is None or (default is None and (value.factory is not None or value.cls is collections.Counter)):
        return None
    items = [item for _, item in same]
    if default is not None:
        items.append(default)
    elif not items:
        return None
    if any(m.tags.of(item) is None for item in items):
        return None
    inside = any_of(m, [test for test, _ in same])
    if default is None:
        if inside is False:
            raise Failed(KeyError, key)
        if isinstance(inside, Value):
            m.check(inside, "bounds", "the key is in the dict", Failed(KeyError, key))
    which = m.const(len(items) - 1)
    for i, (test, _) in enumerate(same):
        if test is True:
            return items[i]
        if isinstance(test, Value):
            which = m.b.one("arith.select", [test, m.const(i), which], INT)
    return unions.choose(m, which, items)


def store(m: Machine, value: DictRef, key: Abstract, item: Abstract) -> bool:
    """Store under a run-time key that is there already; False if that is not possible, or not to be expected."""
    from janus_mlir.capture.builtins.numbers import choose_value

    grows = m.b.span is None or m.b.span in m.speculation.both
    if grows or not m.is_outside(value.id) or not isinstance(key, (Number, ExtentNumber)):
        return False
    same = same_keys(m, value, key)
    if same is None or not all(number_kind(old) == number_kind(item) is not None for _, old in same):
        return False
    inside = any_of(m, [test for test, _ in same])
    if inside is False:
        return False
    if isinstance(inside, Value):
        m.guard(inside, "bounds", text="the key is in the dict", branch=m.b.span)
    content = DictContent(dict_entries(m, value))
    for (known, old), (test, _) in zip(content.entries, same, strict=True):
        if test is not False:
            new = item if test is True else choose_value(m, test, item, old)
            content = content.set(known, new)
    m.put(value.id, content)
    record_mutation(m, value, "dict item", "{0}[{1}] = {2}", key, item)
    return True


def _contains_text(m: Machine, container: Abstract, item: Abstract) -> bool | Value | None:
    """Return whether a string of the run time is in something, or has something in it; None for other containers."""
    if isinstance(container, DictRef):
        same = same_keys(m, container, item)
        return None if same is None else any_of(m, [test for test, _ in same])
    if isinstance(container, SetRef):
        container = Known(frozenset(sets.elements(m, container)))
    whole = isinstance(container, Known) and type(container.value) in (str, tuple, frozenset, set)
    if whole or isinstance(container, Boxed) or boxed.is_text(container):
        return boxed.contains(m, container, item)
    return None


def _on_the_way(m: Machine, iterator: IteratorRef, item: Abstract) -> bool | Value:
    """Return whether an iterator has an item, which is as far as it goes."""
    from janus_mlir.capture.iteration import next_item
    from janus_mlir.capture.operators import compare, truth

    result: bool | Value = False
    onward = Onward(m, iterator)
    with m.keep(iterator, item):
        while True:
            step = next_item(m, iterator)
            if step.more is False:
                return result
            if step.more is not True:
                raise Break("JN218", "membership in an iterator of run-time length")
            other = step.advance(m)
            same = truth(m, compare(m, "eq", other, item))
            onward.check()
            if same is True:
                if isinstance(result, bool):
                    return True
                raise Break("JN218", "an iterator of which only run time knows how far it goes")
            if isinstance(same, Value):
                result = same if isinstance(result, bool) else m.b.one("arith.ori", [result, same], BOOL)
                onward.begin()


def contains(m: Machine, container: Abstract, item: Abstract, *, negate: bool) -> Abstract:
    """Return ``item in container`` (or its negation)."""
    from janus_mlir.capture.operators import compare, truth

    result: bool | Value
    if isinstance(container, ViewValue) and container.kind == "keys":
        container = container.dict
    is_text = boxed.is_text(item) or boxed.is_text(container) or isinstance(container, Boxed)
    if is_text and tables.content_of(m, container) is None:
        found = _contains_text(m, container, item)
        if isinstance(found, bool):
            return Known(found != negate)
        if found is not None:
            return make("bool", m.b.one("arith.xori", [found, m.const(True)], BOOL) if negate else found)
    if isinstance(container, (DictRef, SetRef)) and tables.content_of(m, container) is not None:
        result = tables.contains(m, container, item)
    elif isinstance(container, DictRef) and tables.is_run_time_key(item):
        same = same_keys(m, container, item) if isinstance(item, (Number, ExtentNumber)) else None
        result = any_of(m, [test for test, _ in same]) if same is not None else False
        if same is None:
            result = tables.contains(m, container, item)
    elif isinstance(container, DictRef):
        result = dict_get(m, container, constant_key(item)) is not None
    elif isinstance(container, SetRef):
        return sets.contains(m, container, item, negate=negate)
    elif isinstance(container, ListRef) and isinstance(m.get(container.id), VectorContent):
        from janus_mlir.capture.library import lists as library

        result = truth(m, library.call(m, library.contains, container, item))
    elif isinstance(container, RangeValue) and number_kind(item) == "int":
        result = _in_range(m, container, item)
    elif isinstance(container, Known) and isinstance(container.value, (frozenset, set)):
        result = sets.member(m, tuple(container.value), item)
    elif isinstance(container, Known) and isinstance(item, Known):
        try:
            result = item.value in container.value
        except Exception as error:  # the user's own error, which Python will raise again
            raise Failed.of(error) from None
    elif isinstance(container, ObjectRef) and (own := _membership(m, container)) is not None:
        from janus_mlir.capture.calls import call_inline

        result = truth(m, call_inline(m, own, [container, item]))
    elif isinstance(container, (JaxArray, NumpyArray)):
        raise Break("JN212", f"membership in a {type(container).__name__}")
    elif isinstance(container, IteratorRef):
        result = _on_the_way(m, container, item)
    else:
        from janus_mlir.capture.iteration import exhaust, get_iterator

        items = items_of(m, container)
        if items is None and isinstance(container, ObjectRef):
            items = exhaust(m, get_iterator(m, container))
        if items is None:
            raise Break("JN212", f"membership in a {type(container).__name__}")
        result = False
        for other in items:
            if isinstance(other, (JaxArray, NumpyArray)):
                raise Break("JN212", "membership in a container of arrays")
            equal = truth(m, compare(m, "eq", other, item))
            if equal is True:
                result = True
                break
            if equal is not False:
                result = equal if isinstance(result, bool) else m.b.one("arith.ori", [result, equal], BOOL)
    if isinstance(result, bool):
        return Known(result != negate)
    if negate:
        result = m.b.one("arith.xori", [result, m.const(True)], BOOL)
    return make("bool", result)


def _in_range(m: Machine, container: RangeValue, item: Abstract) -> bool | Value:
    if not isinstance(container.step, Known) or container.step.value != 1:
        raise Break("JN212", "membership in a range with steps")
    tests = [
        compare_numbers(m, op, item, bound) for op, bound in (("ge", container.start), ("lt", container.stop))
    ]
    if False in tests:
        return False
    open_ = [test for test in tests if isinstance(test, Value)]
    if len(open_) == 2:
        return m.b.one("arith.andi", open_, BOOL)
    return open_[0] if open_ else True


def _membership(m: Machine, value: ObjectRef) -> Abstract | None:
    from janus_mlir.capture.attributes import class_attribute

    return class_attribute(m, value, "__contains__")
