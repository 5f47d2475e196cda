"""Operations on lists of run-time length, and builtins that loop, written in Python and captured like the user's code.

What raises here leaves compiled code, so that Python does the original operation and raises its own error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.builtins.table import registers
from janus_mlir.capture.values import Abstract, Known

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


def call(m: Machine, function: Any, *args: Abstract) -> Abstract:
    """Call a function of this module on abstract values."""
    from janus_mlir.capture.calls import call_inline

    return call_inline(m, Known(function), list(args))


# ruff: noqa: D103, SIM108, SIM110, SIM113, PERF401, E741
# The functions below are read by capture: plain loops, no annotations to evaluate.


def python_decides() -> None:
    """Stand for an error: compiled code is left, so that Python raises it."""


@registers(python_decides)
def _leave(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    raise Break("JN208", "an exception is raised here")


def to_list(items: Any) -> Any:
    out = []
    for item in items:
        out.append(item)
    return out


def joined(items: Any, separator: Any) -> Any:
    """Join neighbours until one is left, so that no text is copied often."""
    if len(items) == 0:
        return ""
    while len(items) > 1:
        out = []
        i = 0
        while i + 1 < len(items):
            out.append(items[i] + separator + items[i + 1])
            i += 2
        if i < len(items):
            out.append(items[i])
        items = out
    return items[0]


def first(items: Any, default: Any) -> Any:
    for item in items:
        return item
    return default


def scalar_items(array: Any) -> Any:
    out = []
    for i in range(len(array)):
        out.append(array[i])
    return out


def plain_items(array: Any) -> Any:
    out = []
    for i in range(len(array)):
        out.append(array[i].item())
    return out


def total(items: Any, start: Any) -> Any:
    for item in items:
        start = start + item
    return start


def any_true(items: Any) -> Any:
    for item in items:
        if item:
            return True
    return False


def all_true(items: Any) -> Any:
    for item in items:
        if not item:
            return False
    return True


def extreme(items: Any, smallest: Any) -> Any:
    best = items[0]
    i = 1
    while i < len(items):
        item = items[i]
        if item < best if smallest else item > best:
            best = item
        i += 1
    return best


def extreme_by(items: Any, smallest: Any, key: Any) -> Any:
    best = items[0]
    best_key = key(best)
    i = 1
    while i < len(items):
        item = items[i]
        item_key = key(item)
        if item_key < best_key if smallest else item_key > best_key:
            best = item
            best_key = item_key
        i += 1
    return best


def extreme_or(items: Any, smallest: Any, key: Any, default: Any) -> Any:
    if len(items) == 0:
        return default
    if key is None:
        return extreme(items, smallest)
    return extreme_by(items, smallest, key)


def contains(items: Any, wanted: Any) -> Any:
    for item in items:
        if item == wanted:
            return True
    return False


def index_of(items: Any, wanted: Any) -> Any:
    i = 0
    for item in items:
        if item == wanted:
            return i
        i += 1
    python_decides()


def count_of(items: Any, wanted: Any) -> Any:
    n = 0
    for item in items:
        if item == wanted:
            n += 1
    return n


def equal(a: Any, b: Any) -> Any:
    if len(a) != len(b):
        return False
    i = 0
    while i < len(a):
        if a[i] != b[i]:
            return False
        i += 1
    return True


def less(a: Any, b: Any, or_equal: Any) -> Any:
    i = 0
    while i < len(a) and i < len(b):
        if a[i] != b[i]:
            return a[i] < b[i]
        i += 1
    if or_equal:
        return len(a) <= len(b)
    return len(a) < len(b)


def extend(items: Any, more: Any) -> Any:
    for item in more:
        items.append(item)


def extend_by_items(items: Any, more: Any) -> Any:
    """Append the items that another list has now, even if it is the same list."""
    n = len(more)
    i = 0
    while i < n:
        items.append(more[i])
        i += 1


def concatenated(a: Any, b: Any) -> Any:
    out = []
    for item in a:
        out.append(item)
    for item in b:
        out.append(item)
    return out


def repeated(items: Any, times: Any) -> Any:
    out = []
    for _ in range(times):
        for item in items:
            out.append(item)
    return out


def sliced(items: Any, start: Any, stop: Any, step: Any) -> Any:
    n = len(items)
    if step is None:
        step = 1
    if step > 0:
        low, high = 0, n
    else:
        low, high = -1, n - 1
    if start is None:
        i = low if step > 0 else high
    else:
        i = start + n if start < 0 else start
        i = max(min(i, high), low)
    if stop is None:
        end = high if step > 0 else low
    else:
        end = stop + n if stop < 0 else stop
        end = max(min(end, high), low)
    out = []
    if step > 0:
        while i < end:
            out.append(items[i])
            i += step
    else:
        while i > end:
            out.append(items[i])
            i += step
    return out


def spliced(items: Any, start: Any, stop: Any, more: Any) -> Any:
    """Return the items with others in the place of ``items[start:stop]``."""
    n = len(items)
    if start is None:
        i = 0
    else:
        i = start + n if start < 0 else start
        i = max(min(i, n), 0)
    if stop is None:
        j = n
    else:
        j = stop + n if stop < 0 else stop
        j = max(min(j, n), i)
    out = []
    k = 0
    while k < i:
        out.append(items[k])
        k += 1
    for item in more:
        out.append(item)
    while j < n:
        out.append(items[j])
        j += 1
    return out


def pop_at(items: Any, index: Any) -> Any:
    n = len(items)
    i = index + n if index < 0 else index
    found = items[i]
    while i < n - 1:
        items[i] = items[i + 1]
        i += 1
    items.pop()
    return found


def make_room(items: Any, limit: Any, at_start: Any) -> Any:
    if len(items) >= limit:
        if at_start:
            items.popleft()
        else:
            items.pop()


def insert(items: Any, index: Any, item: Any) -> Any:
    n = len(items)
    i = index + n if index < 0 else index
    i = max(min(i, n), 0)
    items.append(item)
    j = n
    while j > i:
        items[j] = items[j - 1]
        j -= 1
    items[i] = item


def remove(items: Any, wanted: Any) -> Any:
    items.pop(index_of(items, wanted))


def reverse(items: Any) -> Any:
    i = 0
    j = len(items) - 1
    while i < j:
        items[i], items[j] = items[j], items[i]
        i += 1
        j -= 1


def reversed_list(items: Any) -> Any:
    out = []
    i = len(items) - 1
    while i >= 0:
        out.append(items[i])
        i -= 1
    return out


def merge_order(keys: Any, descending: Any) -> Any:
    """Return the positions in order of their keys, by merging ever longer runs bottom-up: stable."""
    n = len(keys)
    order = []
    for i in range(n):
        key = keys[i]
        if key != key:
            python_decides()
        order.append(i)
    width = 1
    while width < n:
        out = []
        i = 0
        while i < n:
            middle = min(i + width, n)
            end = min(i + 2 * width, n)
            a = i
            b = middle
            while a < middle or b < end:
                if a >= middle:
                    first = False
                elif b >= end:
                    first = True
                elif descending:
                    first = not keys[order[a]] < keys[order[b]]
                else:
                    first = not keys[order[b]] < keys[order[a]]
                if first:
                    out.append(order[a])
                    a += 1
                else:
                    out.append(order[b])
                    b += 1
            i = end
        order = out
        width *= 2
    return order


def in_order(items: Any, order: Any) -> Any:
    out = []
    for k in order:
        out.append(items[k])
    return out


def keys_of(items: Any, key: Any) -> Any:
    out = []
    for item in items:
        out.append(key(item))
    return out


def filtered(function: Any, items: Any) -> Any:
    out = []
    for item in items:
        if function(item):
            out.append(item)
    return out


def true_items(items: Any) -> Any:
    out = []
    for item in items:
        if item:
            out.append(item)
    return out


def product(items: Any, start: Any) -> Any:
    for item in items:
        start = start * item
    return start


def reduce(function: Any, items: Any, start: Any) -> Any:
    for item in items:
        start = function(start, item)
    return start


def accumulate(items: Any, function: Any, start: Any, given: Any) -> Any:
    out = []
    if given:
        out.append(start)
    first = not given
    for item in items:
        if first:
            start = item
            first = False
        else:
            start = function(start, item)
        out.append(start)
    return out


def take_while(function: Any, items: Any) -> Any:
    out = []
    for item in items:
        if not function(item):
            break
        out.append(item)
    return out


def drop_while(function: Any, items: Any) -> Any:
    out = []
    dropping = True
    for item in items:
        if dropping and function(item):
            continue
        dropping = False
        out.append(item)
    return out


def bisect_left(items: Any, x: Any, low: Any, high: Any) -> Any:
    if high is None:
        high = len(items)
    while low < high:
        middle = (low + high) // 2
        if items[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low


def bisect_right(items: Any, x: Any, low: Any, high: Any) -> Any:
    if high is None:
        high = len(items)
    while low < high:
        middle = (low + high) // 2
        if x < items[middle]:
            high = middle
        else:
            low = middle + 1
    return low


def heap_push(heap: Any, item: Any) -> Any:
    heap.append(item)
    sift_down(heap, 0, len(heap) - 1)


def heap_pop(heap: Any) -> Any:
    last = heap.pop()
    if heap:
        found = heap[0]
        heap[0] = last
        sift_up(heap, 0)
        return found
    return last


def heap_replace(heap: Any, item: Any) -> Any:
    found = heap[0]
    heap[0] = item
    sift_up(heap, 0)
    return found


def heap_push_pop(heap: Any, item: Any) -> Any:
    if heap and heap[0] < item:
        found = heap[0]
        heap[0] = item
        sift_up(heap, 0)
        return found
    return item


def heapify(heap: Any) -> Any:
    i = len(heap) // 2 - 1
    while i >= 0:
        sift_up(heap, i)
        i -= 1


def sift_down(heap: Any, start: Any, at: Any) -> Any:
    item = heap[at]
    while at > start:
        parent_at = (at - 1) >> 1
        parent = heap[parent_at]
        if not item < parent:
            break
        heap[at] = parent
        at = parent_at
    heap[at] = item


def sift_up(heap: Any, at: Any) -> Any:
    end = len(heap)
    start = at
    item = heap[at]
    child = 2 * at + 1
    while child < end:
        right = child + 1
        if right < end and not heap[child] < heap[right]:
            child = right
        heap[at] = heap[child]
        at = child
        child = 2 * at + 1
    heap[at] = item
    sift_down(heap, start, at)


def n_smallest(n: Any, items: Any) -> Any:
    return in_order(items, merge_order(items, False))[:n]


def n_largest(n: Any, items: Any) -> Any:
    return in_order(items, merge_order(items, True))[:n]
