"""Effects of a function that JAX differentiates.

They are recorded while JAX traces the function, and take place after the traced call: what they refer to is
returned by that call besides its result. As in Python, where JAX would leave a tracer behind, only
what does not depend on the differentiated arguments (``jax.lax.stop_gradient``) may be stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.graph import Block, Op, Value
from janus_mlir.capture.jax.callbacks import Lifts
from janus_mlir.capture.state import Rewriter, State, tidy

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


class Effects:
    """The state that a traced function has left behind, and the values of its own that this refers to."""

    def __init__(self, m: Machine, lifts: Lifts, block: Block) -> None:
        self.state: State = m.state
        self.own: list[Value] = []
        self._tracers = lifts.tracers
        self._lifted = {ref.uid for ref in lifts.refs}
        self._seen: set[int] = set()
        tidy(self.state, m.initial.keys())
        finder = Rewriter(self._find)
        finder.state(self.state.clone())
        self._records = [op for op in block.ops if self._refers(op)]
        block.ops[:] = [op for op in block.ops if op not in self._records]
        for op in self._records:
            finder(tuple(op.operands))

    def _refers(self, op: Op) -> bool:
        return op.name == "janus.record" or any(self._is_own(v) for v in op.operands)

    def _is_own(self, value: Value) -> bool:
        return value.uid in self._tracers and value.uid not in self._lifted

    def _find(self, value: Value) -> Value:
        if self._is_own(value) and value.uid not in self._seen:
            self._seen.add(value.uid)
            self.own.append(value)
        return value

    def outputs(self, arguments: Sequence[Any]) -> list[Any]:
        """Return what the traced function must return for them; `arguments` are its own."""
        found = [self._tracers[value.uid] for value in self.own]
        for tracer in found:
            if any(tracer is argument for argument in arguments):
                raise Break("JN307", "a function passed to JAX stores an argument in an object")
            if isinstance(tracer, jax.core.Tracer) and tracer._trace is not arguments[0]._trace:
                raise Break(
                    "JN307", "what depends on differentiated values is stored without jax.lax.stop_gradient"
                )
        return found

    def happen(self, m: Machine, values: Sequence[Value]) -> None:
        """Let the effects follow the traced call, which has returned `values` for `own`."""
        new = {old.uid: value for old, value in zip(self.own, values, strict=True)}

        def rename(value: Value) -> Value:
            return new.get(value.uid, value)

        Rewriter(rename).state(self.state)
        m.state = self.state
        for op in self._records:
            op.operands = [rename(v) for v in op.operands]
            m.b.block.ops.append(op)
