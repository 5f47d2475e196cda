"""Methods of builtin types on abstract values."""

from __future__ import annotations

import collections
import enum
from typing import TYPE_CHECKING, Any

import numpy as np

from janus_mlir.capture import boxed, complexes, counters, generators, sets
from janus_mlir.capture import numpy as npy
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.builtins.basic import SuperPair
from janus_mlir.capture.containers import (
    append,
    constant_key,
    delete_item,
    dict_entries,
    dict_get,
    list_items,
    new_dict,
    new_list,
    record_mutation,
    replace_items,
    replace_vector,
    set_item,
)
from janus_mlir.capture.dynamic import compressed, rows, tables, vectors
from janus_mlir.capture.graph import BOOL, FLOAT
from janus_mlir.capture.heap import DictContent, ListContent, VectorContent
from janus_mlir.capture.iteration import collect, exhaust, get_iterator, static_count
from janus_mlir.capture.jax.methods import call_at_method
from janus_mlir.capture.jax.values import AtIndex
from janus_mlir.capture.library import lists as library
from janus_mlir.capture.library import numbers as library_numbers
from janus_mlir.capture.library import tables as library_tables
from janus_mlir.capture.lookups import lookup
from janus_mlir.capture.numbers import as_int, make
from janus_mlir.capture.operators import binary, compare, truth
from janus_mlir.capture.text import METHODS, build_string, format_value, join_texts, text_method
from janus_mlir.capture.values import (
    Abstract,
    AttributesRef,
    Boxed,
    ComplexValue,
    CompressedRef,
    DictRef,
    IteratorRef,
    JaxArray,
    Known,
    ListRef,
    Number,
    NumpyArray,
    NumpyScalar,
    SetRef,
    TextValue,
    TupleValue,
    ViewValue,
    constants,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


def call_member(
    m: Machine, self: Abstract, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    """Call a method of a builtin type on an abstract value."""
    match self:
        case AtIndex():
            return call_at_method(m, self, name, args, kwargs)
        case JaxArray():
            from janus_mlir.capture.jax.methods import call_array_method

            return call_array_method(m, self, name, args, kwargs)
        case NumpyArray() | NumpyScalar():
            return npy.method(m, self, name, args, kwargs)
        case ComplexValue() if name == "conjugate" and not args and not kwargs:
            return complexes.conjugate(m, self)
        case CompressedRef():
            return compressed.method(m, self, name, args, kwargs)
        case ListRef():
            return _list_method(m, self, name, args, kwargs)
        case AttributesRef() if name not in ("get", "keys", "values", "items", "copy"):
            raise Break("JN216", "the `__dict__` of an object is changed")
        case DictRef():
            return _dict_method(m, self, name, args, kwargs)
        case SetRef():
            if kwargs:
                raise Break("JN301", f"set.{name} with keyword arguments")
            return sets.method(m, self, name, args)
        case Boxed():
            return boxed.method(m, self, name, args, kwargs)
        case TextValue() if name not in METHODS:
            return boxed.method(m, boxed.as_object(m, self), name, args, kwargs)
        case TextValue() if not kwargs:
            return boxed.settled(m, text_method(m, self, name, args))
        case ViewValue() if name in ("isdisjoint",):
            raise Break("JN301", f"method `{name}` of a dict view")
        case Number() if self.kind in ("int", "bool") and name in ("conjugate", "bit_length", "bit_count"):
            if name == "conjugate":
                return make("int", as_int(m, self))
            return library.call(m, getattr(library_numbers, name), self)
        case Number() if name == "conjugate":
            return self
        case TupleValue() if self.cls is SuperPair:
            return Known(None)
        case TupleValue() if name in ("index", "count", "_asdict", "_replace"):
            return _tuple_method(m, self, name, args, kwargs)
        case Number() if name == "is_integer" and self.kind == "float":
            truncated = m.b.one("math.floor", [self.ref], FLOAT)
            return make("bool", m.b.one("arith.cmpf", [truncated, self.ref], BOOL, predicate="oeq"))
        case IteratorRef() if not kwargs:
            return generators.method(m, self, name, args)
        case Known():
            return _known_method(m, self, name, args, kwargs)
    raise Break("JN301", f"method `{name}` of a {type(self).__name__}")


def _known_method(
    m: Machine, self: Known, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    live = self.value
    if isinstance(live, str) and any(isinstance(a, Boxed) for a in args):
        return boxed.method(m, Boxed(boxed.box(m, self), str), name, args, kwargs)
    if isinstance(live, str) and name == "join" and len(args) == 1:
        items = collect(m, args[0])
        if isinstance(items, ListRef):
            return join_texts(m, self, items)
        parts: list[Abstract] = []
        for i, item in enumerate(items):
            parts += [Known(live)] if i else []
            parts.append(item)
        return build_string(parts)
    if isinstance(live, str) and name in METHODS and any(isinstance(a, TextValue) for a in args):
        return text_method(m, TextValue((live,)), name, args)
    if isinstance(live, str) and name == "format":
        return _format_method(m, live, args, kwargs)
    if isinstance(live, (str, bytes, int, float, frozenset, range, np.dtype)) and not isinstance(
        live, enum.Enum
    ):
        values = [_plain(m, a) for a in args]
        named = {k: _plain(m, v) for k, v in kwargs.items()}
        try:
            return _plain_result(m, getattr(live, name)(*values, **named))
        except Exception as error:  # the user's own error, which Python will raise again
            raise Failed.of(error) from None
    raise Break("JN301", f"method `{name}` of a {type(live).__name__}")


def _plain(m: Machine, value: Abstract) -> Any:
    if isinstance(value, Known):
        return value.value
    if isinstance(value, TupleValue):
        return tuple(_plain(m, item) for item in value.items)
    raise Break("JN213", "a string operation on run-time values")


def _plain_result(m: Machine, value: Any) -> Abstract:
    if type(value) is list:
        return new_list(m, tuple(_plain_result(m, v) for v in value))
    return Known(value)


def _format_method(m: Machine, text: str, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    import string

    parts: list[Abstract] = []
    automatic = 0
    for literal, field, spec, conversion in string.Formatter().parse(text):
        parts.append(Known(literal))
        if field is None:
            continue
        if field == "":
            value, automatic = args[automatic : automatic + 1], automatic + 1
        elif field.isdigit():
            value = args[int(field) : int(field) + 1]
        else:
            value = [kwargs[field]] if field in kwargs else []
        if not value or (spec and "{" in spec):
            raise Break("JN213", "str.format with unusual fields")
        parts.append(format_value(m, value[0], conversion, Known(spec) if spec else None))
    return build_string(parts)


def extend(m: Machine, self: ListRef, more: Abstract) -> None:
    """Append all items of an iterable to a list."""
    if isinstance(more, ListRef) and (more.id == self.id or rows.same(m, self, more) not in (None, False)):
        library.call(m, library.extend_by_items, self, more)
        return
    iterator = get_iterator(m, more)
    if static_count(m, iterator) is None:
        library.call(m, library.extend, self, iterator)
        return
    for item in exhaust(m, iterator):
        append(m, self, item)


def _list_method(
    m: Machine, self: ListRef, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    if name == "sort" and not args:
        return _sort(m, self, kwargs)
    if kwargs:
        raise Break("JN301", f"list.{name} with keyword arguments")
    if self.cls is not list:
        found = _deque_method(m, self, name, args)
        if found is not None:
            return found
    none = Known(None)
    if name == "append" and len(args) == 1:
        if self.limit is not None:
            _make_room(m, self)
        append(m, self, args[0])
        return none
    if name == "extend" and len(args) == 1:
        extend(m, self, args[0])
        return none
    moving = isinstance(m.get(self.id), VectorContent)
    moving = moving or (name in ("pop", "insert") and bool(args) and not isinstance(args[0], Known))
    if moving and name in ("clear", "copy", "pop", "insert", "remove", "reverse", "index", "count"):
        return _vector_method(m, self, name, args)
    items = list_items(m, self)
    if name == "copy" and not args:
        return new_list(m, items)
    if name == "clear" and not args:
        replace_items(m, self, (), "list.clear", "{0}.clear()")
        return none
    if name == "reverse" and not args:
        replace_items(m, self, items[::-1], "list.reverse", "{0}.reverse()")
        return none
    given = constants(args)
    if name == "pop" and len(args) <= 1 and given is not None:
        index = given[0] if given else -1
        if not items or not -len(items) <= index < len(items):
            raise Failed.by(([0] if items else []).pop, 5)
        rest = list(items)
        found = rest.pop(index)
        replace_items(m, self, tuple(rest), "list.pop", "{0}.pop({1})" if args else "{0}.pop()", Known(index))
        return found
    if name == "insert" and len(args) == 2 and isinstance(args[0], Known):
        new = list(items)
        new.insert(args[0].value, args[1])
        replace_items(m, self, tuple(new), "list.insert", "{0}.insert({1}, {2})", *args)
        return none
    if name == "remove" and len(args) == 1:
        equal = [truth(m, compare(m, "eq", item, args[0])) for item in items]
        if not all(isinstance(e, bool) for e in equal):
            return _vector_method(m, self, name, args)
        if True not in equal:
            raise Break("JN208", "value not in the list")
        at = equal.index(True)
        replace_items(m, self, (*items[:at], *items[at + 1 :]), "list.remove", "{0}.pop({1})", Known(at))
        return none
    if name in ("index", "count"):
        return _tuple_method(m, TupleValue(items), name, args, kwargs)
    raise Break("JN301", f"list.{name}")


def _vector_method(m: Machine, self: ListRef, name: str, args: list[Abstract]) -> Abstract:
    """Call a method of a list whose length, or the place that is changed in it, is only known at run time."""
    none = Known(None)
    vector = vectors.vectorise(m, self)
    if name == "pop" and len(args) <= 1:
        last = not args or (isinstance(args[0], Known) and args[0].value == -1)
        first = not last and isinstance(args[0], Known) and args[0].value == 0
        if not last and not first:
            return library.call(m, library.pop_at, self, args[0])
        vectors.nonempty(m, vector)
        rest = vectors.without_last(m, vector) if last else vectors.without_first(m, vector)
        found = vectors.read(m, vector, vectors.length(m, rest) if last else m.const(0))
        replace_vector(m, self, rest, "list.pop", "{0}.pop()" if last else _POP_FIRST[self.cls])
        return found
    if name == "clear" and not args:
        replace_items(m, self, (), "list.clear", "{0}.clear()")
        return none
    if name == "copy" and not args:
        return library.call(m, library.to_list, self)
    if name == "insert" and len(args) == 2:
        library.call(m, library.insert, self, *args)
        return none
    if name == "remove" and len(args) == 1:
        library.call(m, library.remove, self, args[0])
        return none
    if name == "reverse" and not args:
        library.call(m, library.reverse, self)
        return none
    if name == "index" and len(args) == 1:
        return library.call(m, library.index_of, self, args[0])
    if name == "count" and len(args) == 1:
        return library.call(m, library.count_of, self, args[0])
    raise Break("JN301", f"list.{name}")


_POP_FIRST: dict[type, str] = {list: "{0}.pop(0)", collections.deque: "{0}.popleft()"}


def _sort(m: Machine, self: ListRef, kwargs: dict[str, Abstract]) -> Abstract:
    from janus_mlir.capture.builtins.iterators import sort_items

    made = sort_items(m, self, kwargs)
    content = m.get(made.id)
    if m.is_outside(self.id) and isinstance(content, VectorContent):
        replace_vector(m, self, content, "list.sort", "{0}[:] = {1}", made)
    elif isinstance(content, VectorContent):
        m.put(self.id, content)
    else:
        replace_items(m, self, list_items(m, made), "list.sort", "{0}[:] = {1}", made)
    return Known(None)


def _make_room(m: Machine, self: ListRef, *, first: bool = True) -> None:
    """Drop an item at the other end of a deque that is full."""
    content = m.get(self.id)
    assert self.limit is not None
    if self.limit == 0:
        raise Break("JN301", "a deque of length 0")
    if isinstance(content, VectorContent):
        library.call(m, library.make_room, self, Known(self.limit), Known(first))
    elif len(list_items(m, self)) >= self.limit:
        # Outside, the deque does this by itself when the other item comes.
        items = list_items(m, self)
        m.put(self.id, ListContent(items[1:] if first else items[:-1]))


def _deque_method(m: Machine, self: ListRef, name: str, args: list[Abstract]) -> Abstract | None:
    none = Known(None)
    content = m.get(self.id)
    if name == "popleft" and not args:
        if isinstance(content, VectorContent):
            return _vector_method(m, self, "pop", [Known(0)])
        items = list_items(m, self)
        if not items:
            raise Break("JN208", "pop from an empty deque")
        replace_items(m, self, items[1:], "deque.popleft", "{0}.popleft()")
        return items[0]
    if name == "appendleft" and len(args) == 1:
        if isinstance(content, VectorContent):
            if self.limit is not None:
                _make_room(m, self, first=False)
            library.call(m, library.insert, self, Known(0), args[0])
            return none
        if self.limit is not None:
            _make_room(m, self, first=False)
        replace_items(
            m, self, (args[0], *list_items(m, self)), "deque.appendleft", "{0}.appendleft({1})", args[0]
        )
        return none
    if name == "extend" and len(args) == 1 and self.limit is not None:
        for item in exhaust(m, get_iterator(m, args[0])):
            _make_room(m, self)
            append(m, self, item)
        return none
    if name == "extendleft" and len(args) == 1:
        for item in exhaust(m, get_iterator(m, args[0])):
            _deque_method(m, self, "appendleft", [item])
        return none
    given = constants(args)
    if name == "rotate" and len(args) <= 1 and given is not None:
        items = list_items(m, self)
        by = given[0] if given else 1
        cut = -by % len(items) if items else 0
        replace_items(m, self, (*items[cut:], *items[:cut]), "deque.rotate", "{0}.rotate({1})", Known(by))
        return none
    if name in ("copy", "insert"):
        raise Break("JN301", f"deque.{name}")
    return None


def _tuple_method(
    m: Machine, self: TupleValue, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    fields = getattr(self.cls, "_fields", ())
    if name == "_asdict" and not args:
        return new_dict(m, tuple(zip(fields, self.items, strict=True)))
    if name == "_replace" and not args and all(k in fields for k in kwargs):
        return TupleValue(
            tuple(kwargs.get(f, old) for f, old in zip(fields, self.items, strict=True)), self.cls
        )
    if name in ("index", "count") and len(args) == 1:
        equal = [truth(m, compare(m, "eq", item, args[0])) for item in self.items]
        if all(isinstance(e, bool) for e in equal):
            if name == "count":
                return Known(sum(bool(e) for e in equal))
            if True in equal:
                return Known(equal.index(True))
            raise Break("JN208", "value not in the sequence")
        function = library.index_of if name == "index" else library.count_of
        return library.call(m, function, self, args[0])
    raise Break("JN301", f"tuple.{name}")


def _dict_method(
    m: Machine, self: DictRef, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    none = Known(None)
    by_run_time_key = (
        bool(args) and name in ("get", "setdefault", "pop", "move_to_end") and tables.is_run_time_key(args[0])
    )
    if name == "get" and by_run_time_key and 1 <= len(args) <= 2 and tables.content_of(m, self) is None:
        chosen = lookup(m, self, args[0], args[1] if len(args) == 2 else none)
        if chosen is not None:
            return chosen
    if tables.content_of(m, self) is not None or by_run_time_key:
        return _table_method(m, self, name, args, kwargs)
    if name == "update" and _makes_table(m, self, args):
        return _table_method(m, self, name, args, kwargs)
    if name == "get" and 1 <= len(args) <= 2:
        default = args[1] if len(args) == 2 else none
        found = dict_get(m, self, constant_key(args[0]))
        return found if found is not None else (args[1] if len(args) == 2 else none)
    if name == "setdefault" and 1 <= len(args) <= 2:
        found = dict_get(m, self, constant_key(args[0]))
        default = args[1] if len(args) == 2 else none
        if found is None:
            set_item(m, self, args[0], default)
        return found if found is not None else default
    if name == "update":
        if self.cls is collections.Counter:
            return _count(m, self, args, kwargs)
        for other in args:
            store_pairs(m, self, other)
        for key, item in kwargs.items():
            set_item(m, self, Known(key), item)
        return none
    if name == "pop" and args:
        key = constant_key(args[0])
        found = dict_get(m, self, key)
        if found is None:
            if len(args) == 2:
                return args[1]
            raise Failed(KeyError, args[0])
        delete_item(m, self, args[0])
        return found
    if name in ("keys", "values", "items") and not args:
        return ViewValue(self, name)
    entries = dict_entries(m, self)
    if name == "copy" and not args:
        copied = DictRef(cls=self.cls, factory=self.factory)
        m.put(copied.id, DictContent(entries))
        return copied
    if name == "clear" and not args:
        m.put(self.id, DictContent(()))
        record_mutation(m, self, "dict.clear", "{0}.clear()")
        return none
    if name == "popitem" and entries:
        last = kwargs.get("last", args[0] if args else Known(True))
        if not isinstance(last, Known):
            raise Break("JN301", "dict.popitem")
        key, found = entries[-1 if last.value else 0]
        delete_item(m, self, Known(key))
        return TupleValue((Known(key), found))
    if name == "move_to_end" and self.cls is collections.OrderedDict and args:
        last = kwargs.get("last", args[1] if len(args) > 1 else Known(True))
        key = constant_key(args[0])
        found = dict_get(m, self, key)
        if found is None or not isinstance(last, Known):
            raise Break("JN208", f"KeyError: {key!r}")
        rest = tuple((k, v) for k, v in entries if k != key)
        m.put(self.id, DictContent((*rest, (key, found)) if last.value else ((key, found), *rest)))
        record_mutation(m, self, "move_to_end", "{0}.move_to_end({1}, {2})", args[0], last)
        return none
    given, counts = constants(args), constants(v for _, v in entries)
    if name == "most_common" and self.cls is collections.Counter and given is not None:
        if counts is None:
            return tables.most_common(m, self, args[0] if args else None)
        plain = collections.Counter(dict(zip((k for k, _ in entries), counts, strict=True)))
        return new_list(m, tuple(TupleValue((Known(k), Known(v))) for k, v in plain.most_common(*given)))
    if name == "total" and self.cls is collections.Counter:
        result: Abstract = Known(0)
        for _, count in entries:
            result = binary(m, "add", result, count)
        return result
    if name == "elements" and self.cls is collections.Counter and counts is not None:
        repeated = (Known(k) for (k, _), n in zip(entries, counts, strict=True) for _ in range(n))
        return get_iterator(m, TupleValue(tuple(repeated)))
    if name == "elements" and self.cls is collections.Counter and not args:
        return counters.elements(m, self)
    raise Break("JN301", f"dict.{name}")


def _makes_table(m: Machine, self: DictRef, args: list[Abstract]) -> bool:
    """Whether ``update`` is given keys that are only known at run time, or a run-time number of them."""
    if any(tables.content_of(m, arg) is not None for arg in args):
        return True
    if self.cls is not collections.Counter or len(args) != 1 or isinstance(args[0], DictRef):
        return False
    items = m.items(args[0]) if _is_static(m, args[0]) else None
    return items is None or any(map(tables.is_run_time_key, items))


def _is_static(m: Machine, value: Abstract) -> bool:
    return not (isinstance(value, ListRef) and isinstance(m.get(value.id), VectorContent))


def _table_method(
    m: Machine, self: DictRef, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    """Call a method of a dict of which the keys are only known at run time."""
    none = Known(None)
    last = kwargs.get("last", Known(True))
    if self.cls is collections.OrderedDict and isinstance(last, Known) and kwargs.keys() <= {"last"}:
        if name == "popitem" and not args:
            return tables.pop_item(m, self, bool(last.value))
        if name == "move_to_end" and len(args) == 1:
            tables.move_to_end(m, self, args[0], last)
            return none
    if kwargs:
        raise Break("JN301", f"dict.{name} with keyword arguments")
    if name == "popitem" and not args and self.cls is not collections.OrderedDict:
        return tables.pop_item(m, self, True)
    if name == "get" and 1 <= len(args) <= 2:
        return tables.get(m, self, args[0], args[1] if len(args) == 2 else none)
    if name == "setdefault" and 1 <= len(args) <= 2:
        return tables.set_default(m, self, args[0], args[1] if len(args) == 2 else none)
    if name == "pop" and 1 <= len(args) <= 2:
        return tables.remove(m, self, args[0], args[1] if len(args) == 2 else None)
    if name in ("keys", "values", "items") and not args:
        return ViewValue(self, name)
    if name == "copy" and not args:
        return tables.copied(m, self)
    if name == "clear" and not args:
        m.put(self.id, tables.cleared(self))
        record_mutation(m, self, "dict.clear", "{0}.clear()")
        return none
    if name == "update" and len(args) == 1:
        if isinstance(args[0], DictRef) and self.cls is not collections.Counter:
            tables.update(m, self, args[0])
            return none
        if self.cls is collections.Counter and not isinstance(args[0], DictRef):
            tables.count(m, self, args[0])
            return none
        if self.cls is not collections.Counter:
            store_pairs(m, self, args[0])
            return none
    if name == "subtract" and self.cls is collections.Counter and len(args) == 1:
        tables.count(m, self, args[0], take=True)
        return none
    if name == "most_common" and self.cls is collections.Counter and len(args) <= 1:
        return tables.most_common(m, self, args[0] if args else None)
    if name == "elements" and self.cls is collections.Counter and not args:
        return counters.elements(m, self)
    if name == "total" and self.cls is collections.Counter and not args:
        return library.call(m, library.total, tables.make(m, self).values or none, Known(0))
    raise Break("JN301", f"dict.{name} with keys that are only known at run time")


def _count(m: Machine, self: DictRef, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    """Do ``Counter.update``: add the counts of a mapping, or count the items of an iterable."""
    counts: list[tuple[Abstract, Abstract]] = [(Known(k), v) for k, v in kwargs.items()]
    for arg in args:
        if isinstance(arg, DictRef):
            counts += [(Known(k), v) for k, v in dict_entries(m, arg)]
        else:
            counts += [(item, Known(1)) for item in exhaust(m, get_iterator(m, arg))]
    for key, more in counts:
        old = dict_get(m, self, constant_key(key))
        set_item(m, self, key, binary(m, "add", Known(0) if old is None else old, more))
    return Known(None)


def store_pairs(m: Machine, self: DictRef, other: Abstract) -> None:
    """Store the items of a dict, or of an iterable of pairs, in a dict."""
    if not isinstance(other, DictRef):
        iterator = get_iterator(m, other)
        if static_count(m, iterator) is None:
            library.call(m, library_tables.store_pairs, self, iterator)
            return
        other = iterator
    for key, item in pairs_of(m, other):
        set_item(m, self, key, item)


def pairs_of(m: Machine, other: Abstract) -> list[tuple[Abstract, Abstract]]:
    """Return the keys and values of a dict or of an iterable of pairs."""
    if isinstance(other, DictRef):
        return [(Known(key), item) for key, item in dict_entries(m, other)]
    pairs = []
    for pair in exhaust(m, get_iterator(m, other)):
        found = m.items(pair)
        if found is None or len(found) != 2:
            raise Break("JN214", "a dict from something that is not pairs")
        pairs.append((found[0], found[1]))
    return pairs
