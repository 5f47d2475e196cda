"""Operations on dicts and sets whose keys are only known at run time, captured like the user's code: see `library`."""

from __future__ import annotations

from typing import Any

from janus_mlir.capture.library.lists import concatenated, merge_order, pop_at, to_list

# ruff: noqa: D103, SIM110
# The functions below are read by capture: plain loops, no annotations to evaluate.


def table_find(keys: Any, key: Any) -> Any:
    i = 0
    n = len(keys)
    while i < n:
        if keys[i] == key:
            return i
        i += 1
    return -1


def table_get(keys: Any, values: Any, key: Any, default: Any) -> Any:
    i = table_find(keys, key)
    if i >= 0:
        return values[i]
    return default


def table_default(keys: Any, values: Any, key: Any, factory: Any) -> Any:
    i = table_find(keys, key)
    if i >= 0:
        return values[i]
    made = factory()
    keys.append(key)
    values.append(made)
    return made


def table_set_default(keys: Any, values: Any, key: Any, default: Any) -> Any:
    i = table_find(keys, key)
    if i >= 0:
        return values[i]
    keys.append(key)
    values.append(default)
    return default


def table_set_default_list(keys: Any, values: Any, key: Any, default: Any) -> Any:
    i = table_find(keys, key)
    if i >= 0:
        return values[i]
    keys.append(key)
    values.append(default.copy())
    return values[len(values) - 1]


def table_pop(keys: Any, values: Any, key: Any, default: Any) -> Any:
    i = table_find(keys, key)
    if i >= 0:
        pop_at(keys, i)
        return pop_at(values, i)
    return default


def table_move(keys: Any, values: Any, position: Any, last: Any) -> Any:
    key = pop_at(keys, position)
    value = pop_at(values, position)
    if last:
        keys.append(key)
        values.append(value)
    else:
        keys.insert(0, key)
        values.insert(0, value)


def table_set(keys: Any, values: Any, key: Any, value: Any) -> Any:
    i = table_find(keys, key)
    if i >= 0:
        values[i] = value
    else:
        keys.append(key)
        values.append(value)


def table_add(keys: Any, key: Any) -> Any:
    if table_find(keys, key) < 0:
        keys.append(key)


def table_add_all(keys: Any, items: Any) -> Any:
    for item in items:
        table_add(keys, item)


def table_discard(keys: Any, key: Any) -> Any:
    i = table_find(keys, key)
    if i >= 0:
        pop_at(keys, i)


def table_update(keys: Any, values: Any, more: Any, others: Any) -> Any:
    i = 0
    n = len(more)
    while i < n:
        table_set(keys, values, more[i], others[i])
        i += 1


def store_pairs(target: Any, pairs: Any) -> Any:
    for key, value in pairs:
        target[key] = value


def table_count(keys: Any, values: Any, items: Any) -> Any:
    for item in items:
        i = table_find(keys, item)
        if i >= 0:
            values[i] = values[i] + 1
        else:
            keys.append(item)
            values.append(1)


def table_subtract(keys: Any, values: Any, items: Any) -> Any:
    for item in items:
        i = table_find(keys, item)
        if i >= 0:
            values[i] = values[i] - 1
        else:
            keys.append(item)
            values.append(-1)


def table_most_common(keys: Any, values: Any) -> Any:
    out = []
    for k in merge_order(values, True):
        out.append((keys[k], values[k]))
    return out


def counter_within(keys: Any, values: Any, more: Any, others: Any) -> Any:
    i = 0
    while i < len(keys):
        k = table_find(more, keys[i])
        if values[i] != (others[k] if k >= 0 else 0):
            return False
        i += 1
    return True


def counter_same(keys: Any, values: Any, more: Any, others: Any) -> Any:
    if not counter_within(keys, values, more, others):
        return False
    return counter_within(more, others, keys, values)


def counter_elements(keys: Any, values: Any) -> Any:
    out = []
    i = 0
    while i < len(keys):
        for _ in range(values[i]):
            out.append(keys[i])
        i += 1
    return out


def table_elements(items: Any) -> Any:
    keys: Any = []
    for item in items:
        table_add(keys, item)
    return keys


def table_union(a: Any, b: Any) -> Any:
    out = to_list(a)
    for key in b:
        table_add(out, key)
    return out


def table_intersection(a: Any, b: Any) -> Any:
    out = []
    for key in a:
        if table_find(b, key) >= 0:
            out.append(key)
    return out


def table_difference(a: Any, b: Any) -> Any:
    out = []
    for key in a:
        if table_find(b, key) < 0:
            out.append(key)
    return out


def table_symmetric_difference(a: Any, b: Any) -> Any:
    return concatenated(table_difference(a, b), table_difference(b, a))


def table_within(a: Any, b: Any, or_equal: Any) -> Any:
    if len(a) > len(b):
        return False
    if len(a) == len(b) and not or_equal:
        return False
    for key in a:
        if table_find(b, key) < 0:
            return False
    return True


def table_disjoint(a: Any, b: Any) -> Any:
    for key in a:
        if table_find(b, key) >= 0:
            return False
    return True


def table_same(a: Any, b: Any) -> Any:
    return len(a) == len(b) and table_within(a, b, True)


def table_equal(keys: Any, values: Any, more: Any, others: Any) -> Any:
    if len(keys) != len(more):
        return False
    i = 0
    while i < len(keys):
        k = table_find(more, keys[i])
        if k < 0:
            return False
        if values[i] != others[k]:
            return False
        i += 1
    return True
