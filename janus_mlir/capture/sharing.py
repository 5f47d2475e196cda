"""Iterators that others know: how far they have gone through their items can be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.dynamic.vectors import are_named, others
from janus_mlir.capture.heap import GeneratorContent, IteratorContent
from janus_mlir.capture.state import references
from janus_mlir.capture.values import Abstract, IteratorRef, Known, TupleValue

if TYPE_CHECKING:
    from janus_mlir.capture.iteration import NextItem
    from janus_mlir.capture.machine import Machine


class Onward:
    """Watches an iterator that is gone through further than Python may have gone: nobody may notice."""

    def __init__(self, m: Machine, iterator: Abstract) -> None:
        self.m = m
        self.iterator = iterator
        self._before: dict[int, Any] | None = None
        self._effects = 0

    def begin(self) -> None:
        """Note that Python may stop here."""
        if self._before is not None:
            return
        if isinstance(self.iterator, IteratorRef) and are_named(self.m, [self.iterator.id]):
            raise Break("JN218", "an iterator of which only run time knows how far it goes")
        self._before, self._effects = dict(self.m.state.heap), self.m.state.effects

    def check(self) -> None:
        """Refuse what has happened since, if it can be seen."""
        if self._before is None:
            return
        heap = self.m.state.heap
        moving = (IteratorContent, GeneratorContent)
        changed = any(
            heap.get(key) is not content and not isinstance(content, moving)
            for key, content in self._before.items()
            if key in heap
        )
        if changed or self.m.state.effects != self._effects:
            raise Break("JN105", "items with effects, whose number depends on run-time values")


def share_items(m: Machine, iterator: IteratorRef, parts: tuple[Abstract, ...]) -> bool:
    """Whether the iterators that are gone through together take from one another, or are known to others."""
    heap = m.state.heap
    found = others(m.state, {iterator.id}, references)
    for part in parts:
        reached = {
            i
            for i in references([part], heap)
            if isinstance(heap.get(i), (IteratorContent, GeneratorContent))
        }
        if reached & found:
            return True
        found |= reached
    return False


def one_by_one(m: Machine, content: IteratorContent, parts: tuple[Abstract, ...]) -> NextItem:
    """Take an item of each iterator before the next one is asked."""
    from janus_mlir.capture.iteration import NextItem, next_item

    items: list[Abstract] = []
    for part in parts:
        step = next_item(m, part)
        if step.more is False:
            return NextItem(False, lambda m: Known(None))
        if step.more is not True:
            raise Break("JN218", "iterators that share items of which only run time knows the number")
        items.append(step.advance(m))
        m.pins.append(items[-1])

    def advance(m: Machine) -> Abstract:
        if content.kind == "map":
            from janus_mlir.capture.calls import call_inline

            return call_inline(m, content.parts[0], items)
        return TupleValue(tuple(items))

    return NextItem(True, advance)
