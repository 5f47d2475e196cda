"""What the machine knows of a function that it executes: code, namespace, closure, control flow."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType
from typing import Any

from janus_mlir.capture.boundary.sources import Cell, Pinned, Source, pinned
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.reading.code import Branch, Code, ForIter, Jump
from janus_mlir.capture.reading.flow import liveness, postdominators, successors
from janus_mlir.capture.reading.normalise import compile_function
from janus_mlir.capture.reading.reader import FunctionSource, Unreadable, read_function
from janus_mlir.capture.values import CellRef


@dataclass(frozen=True, eq=False)
class CodeFlow:
    """Control-flow facts of one `Code`, computed once."""

    code: Code

    @cached_property
    def live(self) -> list[frozenset[str]]:
        return liveness(self.code)

    @cached_property
    def postdominators(self) -> list[int | None]:
        return postdominators(self.code)

    def meet(self, pcs: Iterable[int]) -> int | None:
        """Return the first pc that all ways from `pcs` pass, None if there is none."""
        chains = []
        for pc in pcs:
            chain = [pc]
            while chain[-1] < len(self.code.instrs):
                following = self.postdominators[chain[-1]]
                if following is None:
                    return None
                chain.append(following)
            chains.append(chain)
        first, *rest = chains
        return next((pc for pc in first if all(pc in chain for chain in rest)), None)

    @cached_property
    def loops(self) -> dict[int, frozenset[int]]:
        """Natural loops: head pc -> all pcs from which the head is reached again."""
        code = self.code
        backward: dict[int, list[int]] = {}
        for pc, instr in enumerate(code.instrs):
            targets = (
                (instr.target,)
                if isinstance(instr, Jump)
                else (instr.then, instr.orelse)
                if isinstance(instr, Branch)
                else ()
            )
            for target in targets:
                if target <= pc:
                    backward.setdefault(target, []).append(pc)
        predecessors: dict[int, list[int]] = {}
        for pc in range(len(code.instrs)):
            for target in successors(code.instrs, pc):
                predecessors.setdefault(target, []).append(pc)
        loops = {}
        for head, tails in backward.items():
            body = {head}
            work = [t for t in tails]
            while work:
                pc = work.pop()
                if pc not in body:
                    body.add(pc)
                    work.extend(predecessors.get(pc, ()))
            loops[head] = frozenset(body)
        return loops

    @cached_property
    def for_heads(self) -> frozenset[int]:
        """Loop heads that belong to a ``for`` statement or comprehension."""
        instrs = self.code.instrs
        return frozenset(
            head
            for head in self.loops
            if any(isinstance(instrs[pc], ForIter) for pc in range(head, min(head + 2, len(instrs))))
        )


_codes: dict[int, tuple[FunctionSource, Code]] = {}
_flows: dict[int, CodeFlow] = {}


def code_of(source: FunctionSource) -> Code:
    """Return the (cached) three-address code of a function."""
    found = _codes.get(id(source))
    if found is None:
        found = _codes[id(source)] = (source, compile_function(source))
    return found[1]


def code_flow(code: Code) -> CodeFlow:
    """Return the (cached) control-flow facts of `code`."""
    flow = _flows.get(id(code))
    if flow is None or flow.code is not code:
        flow = _flows[id(code)] = CodeFlow(code)
    return flow


@dataclass(frozen=True, eq=False)
class FunctionContext:
    """A function as the machine enters it.

    `closure` maps free names to the cells of the captured program or to sources of outside cells.
    """

    source: FunctionSource
    namespace: Pinned
    closure: Mapping[str, CellRef | Source]
    function: FunctionType | None

    @property
    def code(self) -> Code:
        return code_of(self.source)

    @property
    def flow(self) -> CodeFlow:
        return code_flow(self.code)

    @property
    def builtins(self) -> dict[str, Any]:
        found = self.namespace.object.get("__builtins__", builtins)
        return found if isinstance(found, dict) else vars(found)

    def live_at(self, pc: int) -> frozenset[str]:
        live = self.flow.live
        return live[pc] if pc < len(live) else frozenset()


def context_of(function: FunctionType) -> FunctionContext:
    """Return the context of a live Python function.

    Raises
    ------
    Break
        If the function has no readable source.
    """
    source = read_function(function, generators=True)
    if isinstance(source, Unreadable):
        raise Break(source.code, source.message)
    cells = function.__closure__ or ()
    closure: dict[str, CellRef | Source] = {
        name: Cell(pinned(name, cell), name)
        for name, cell in zip(function.__code__.co_freevars, cells, strict=True)
    }
    return FunctionContext(source, pinned("globals()", function.__globals__), closure, function)
