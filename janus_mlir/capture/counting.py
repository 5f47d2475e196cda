"""How far loops go that count: the number of their iterations, and what is known where they end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from janus_mlir.capture.graph import Value
from janus_mlir.capture.heap import IteratorContent, VectorContent
from janus_mlir.capture.iteration import static_length
from janus_mlir.capture.reading import code as c
from janus_mlir.capture.values import Abstract, ExtentNumber, IteratorRef, Known, Number

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine
    from janus_mlir.capture.state import State


def note_end(m: Machine, state: State, iterator: Abstract) -> None:
    """Take over what is known of lengths where an iterator has no item left."""
    end = _end(m, state, iterator)
    if end is None:
        return
    root, last = end
    for key, content in list(state.heap.items()):
        if isinstance(content, VectorContent) and content.base is root:
            state.heap[key] = replace(content, base=None, offset=content.offset + last)


def _end(m: Machine, state: State, iterator: Abstract) -> tuple[Value, Any] | None:
    """Return a counter and its value where an iterator has no item left, None if there is no such counter."""
    content = m.content(state, iterator.id) if isinstance(iterator, IteratorRef) else None
    if not isinstance(content, IteratorContent):
        return None
    if content.kind == "enumerate":
        return _end(m, state, content.parts[0])
    if content.kind in ("zip", "map"):
        parts = content.parts[1:] if content.kind == "map" else content.parts
        ends = [end for end in (_end(m, state, part) for part in parts) if end is not None]
        last = _least([last for _, last in ends])
        if len(ends) != len(parts) or last is None or any(root is not ends[0][0] for root, _ in ends):
            return None
        return ends[0][0], last
    length = _extent_of(m, state, content)
    if length is None or not isinstance(content.position, Number):
        return None
    root, offset = content.position.ref.step or (content.position.ref, 0)
    return root, length - offset


def _extent_of(m: Machine, state: State, content: IteratorContent) -> Any:
    """Return how many items an iterator that counts goes through, None if that is no extent."""
    if content.kind == "list":
        walked = m.content(state, content.parts[0].id)  # type: ignore[attr-defined]
        return walked.extent if isinstance(walked, VectorContent) else None
    if content.kind not in ("range", "array"):
        return None
    if isinstance(content.length, Known):
        return int(content.length.value)
    return content.length.expr if isinstance(content.length, ExtentNumber) else None


def _least(extents: list[Any]) -> Any:
    """Return the least of some extents, None if that is not known."""
    if all(isinstance(extent, int) for extent in extents):
        return min(extents, default=None)
    return extents[0] if all(extent == extents[0] for extent in extents) else None


def trips(m: Machine, state: State) -> Any:
    """Return how often the ``for`` loop at hand goes on, as an extent; None if only run time knows."""
    static = static_length(m, state)
    if static is not None:
        return static
    frame = state.top
    for pc in (frame.pc, frame.pc + 1):
        instr = frame.function.code.instrs[pc]
        if isinstance(instr, c.ForIter):
            iterator = frame.vars.get(instr.iter)
            return None if iterator is None else _trips(m, state, iterator)
    return None


def _trips(m: Machine, state: State, iterator: Abstract) -> Any:
    content = m.content(state, iterator.id) if isinstance(iterator, IteratorRef) else None
    if not isinstance(content, IteratorContent):
        return None
    if content.kind in ("enumerate", "zip"):
        found = [_trips(m, state, part) for part in content.parts]
        return None if None in found else _least(found)
    length = _extent_of(m, state, content)
    if length is None or not isinstance(content.position, Known):
        return None
    return length - content.position.value
