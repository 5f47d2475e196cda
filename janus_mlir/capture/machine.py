"""The symbolic machine: executes three-address code on abstract values and builds the graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from janus_mlir import policy
from janus_mlir.capture.boundary.entry import EntryProgram
from janus_mlir.capture.boundary.frames import resume_point, step_point, take_snapshot
from janus_mlir.capture.boundary.outcomes import Outcomes
from janus_mlir.capture.boundary.site import Site
from janus_mlir.capture.boundary.sites import SiteWriter
from janus_mlir.capture.boundary.sources import (
    Argument,
    Cell,
    CellOf,
    Derived,
    Global,
    Pinned,
    Source,
    pinned,
)
from janus_mlir.capture.boundary.stress import Stress
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.control import Fork
from janus_mlir.capture.dynamic import rows
from janus_mlir.capture.dynamic.lending import Lending
from janus_mlir.capture.dynamic.vectors import Packed, Sum
from janus_mlir.capture.effort import Effort
from janus_mlir.capture.exceptions import Checks, Doubtful
from janus_mlir.capture.function import FunctionContext
from janus_mlir.capture.graph import (
    BOOL,
    FLOAT,
    INT,
    OBJECT,
    Block,
    Builder,
    Graph,
    Op,
    TensorType,
    Type,
    Value,
)
from janus_mlir.capture.heap import Content, RowContent
from janus_mlir.capture.join import POISON
from janus_mlir.capture.live import object_ref
from janus_mlir.capture.objects import Outside
from janus_mlir.capture.observing import Observer
from janus_mlir.capture.reading.code import Call
from janus_mlir.capture.reading.rebuild import UNBOUND
from janus_mlir.capture.scalars import SCALARS, number_kind
from janus_mlir.capture.speculation import Respecialise, Speculation
from janus_mlir.capture.state import RESULT, State, Where
from janus_mlir.capture.unions import Tags
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
    ExtentNumber,
    FunctionValue,
    Known,
    Number,
    NumpyArray,
    NumpyScalar,
    Storage,
    ViewStep,
    fresh_id,
)
from janus_mlir.config import config
from janus_mlir.locations import Span
from janus_mlir.runtime.numpy_state import numpy_is_quiet

if TYPE_CHECKING:
    from janus_mlir.capture.jax.callbacks import Lifts
    from janus_mlir.capture.recursion import Procedure
    from janus_mlir.profile.data import BranchCounts, CodeKey, Profile
    from janus_mlir.profile.history import History


@dataclass(frozen=True, slots=True)
class BreakNote:
    """A place where compiled code ends, for `explain`."""

    code: str
    detail: str
    span: Span | None
    resumes: bool


class Machine:
    """State and services shared by the parts of the symbolic machine."""

    def __init__(
        self,
        function: FunctionContext,
        arguments: list[Any],
        speculation: Speculation,
        profile: Profile | None,
        deadline: float = math.inf,
    ) -> None:
        self.function = function
        self.arguments = arguments
        self.speculation = speculation
        self.profile = profile
        self.graph = Graph(function.code.name)
        self.b = Builder(self.graph)
        self.entry = EntryProgram(self.b, len(arguments))
        self.outside = Outside(self)
        self.live = Observer(speculation.live)
        #: Functions that are called, by what identifies them, and how many of them are being captured right now.
        self.functions: dict[Any, Procedure] = {}
        self.inner = 0
        #: Those that have been called before it was known what they return.
        self.unknown_exits: set[Any] = set()
        self.sites: list[Site] = []
        self.notes: list[BreakNote] = []
        #: Lines that were executed, by function.
        self.visited: dict[CodeKey, set[int]] = {}
        self.state = State([], {})
        self.objects: list[int] = list(range(len(arguments)))
        self.peeled: dict[Any, int] = {}
        #: Heads of loops (code and pc) that can only be unrolled.
        self.unlike: set[tuple[int, int]] = set()
        #: Loops (code and pc) that are loops at run time because straight-line code would be too long.
        self.rolled: set[tuple[Any, int]] = set()
        #: Such loops that are being captured.
        self.rolling = 0
        #: Loops at run time that could be straight-line code: lists that grow in them become tensors.
        self.copying: set[tuple[Any, int]] = set()
        self.assume_iteration: Where | None = None
        #: Inside a function that JAX differentiates or maps: effects and guards are not possible there.
        self.pure = 0
        #: Inside a function that is differentiated, and how deep.
        self.differentiating = 0
        #: Those of these that give nothing but the gradient and the value back.
        self.sealed = 0
        #: Float arrays in there that become Python floats, or text.
        self.concretised: list[Value] = []
        #: Exceptions that have been raised on some path.
        self.raised: set[int] = set()
        #: Objects whose ``__dict__`` has been taken.
        self.exposed: set[int] = set()
        self.checks = Checks()
        #: Objects that the instructions under way may still need, by id.
        self.held: frozenset[int] = frozenset()
        #: Such as they need not, because only the code that they call does.
        self.released: set[int] = set()
        #: Tracers of graph values while JAX calls captured code back, and the outer values lifted so far.
        self.replaying: dict[int, Any] | None = None
        self.lifts: Lifts | None = None
        self.stress = Stress() if config.stress == "deopt" else None
        #: What unions of values may be.
        if speculation.tags is None:
            speculation.tags = Tags()
        self.tags: Tags = speculation.tags
        #: Pools of lists, by the key that `Speculation.pools` has for them, and the other way round.
        self.pools: dict[Any, int] = {}
        self.pool_keys: dict[int, Any] = {}
        #: Contents of lists that are rows, as last read: pool, row, block and content.
        self.row_views: dict[int, tuple[Any, Value, Any, Any]] = {}
        #: Values that handlers of instructions hold.
        self.pins: list[Abstract] = []
        #: Items of lists of run-time length that may have other names.
        self.lending = Lending()
        #: Where the frame at hand goes on after the current instruction.
        self.next_pc = 0
        self._symbols_by_size: dict[int, str] = {}
        self.layouts: dict[int, tuple[int, ...] | None] = {}
        #: Classes that stand for those that the call makes, and their methods that close over its variables, by id.
        self.made_classes: dict[int, type] = {}
        self.made_functions: dict[int, FunctionValue] = {}
        #: Functions that native code calls: equal ones are one object.
        self.invoked: dict[Any, Any] = {}
        self.effort = Effort(speculation, deadline)

    @contextmanager
    def keep(self, *values: Abstract) -> Iterator[None]:
        """Keep the contents of what a handler holds while code that it calls is executed."""
        count = len(self.pins)
        self.pins.extend(values)
        try:
            yield
        finally:
            del self.pins[count:]

    # ---- bookkeeping -------------------------------------------------------------

    @property
    def initial(self) -> Mapping[int, Content | Storage]:
        """Contents of outside objects as the call found them, by id."""
        return self.outside.initial

    def kept(self) -> Collection[int]:
        """Return the ids of objects that must not be forgotten, although no variable may reach them."""
        return self.initial.keys() | self.held

    @property
    def classes(self) -> dict[int, type]:
        """Classes of objects, by id."""
        return self.outside.classes

    def load_initial(self, id: int, name: Any) -> Abstract:
        return self.outside.load_entry(id, name)

    def mark(self) -> int:
        """Return a number above the uids of all values so far."""
        return Value(BOOL).uid

    def may_unroll(self, state: State) -> bool:
        """Whether to try the next iteration of the loop at hand as straight-line code."""
        from janus_mlir.capture.iteration import runs_user_code, static_length

        frame = state.top
        counted = frame.pc in frame.function.flow.for_heads and not runs_user_code(self, state)
        length = static_length(self, state) if counted else None
        return policy.may_unroll(
            self.speculation,
            frame.unrolled.get(frame.pc, 0),
            length,
            counted=counted,
            unlike=counted and (id(frame.function.code), frame.pc) in self.unlike,
        )

    def peeling_allowed(self, state: State) -> bool:
        return not self.pure

    def count_unrolled(self, outcomes: Outcomes, head: Where) -> None:
        """Note an iteration that was executed in line."""
        for where, state in outcomes.ways:
            if len(state.frames) > head[0]:
                unrolled = state.frames[head[0]].unrolled
                count = unrolled.pop(head[1], 0)
                if where == head:
                    unrolled[head[1]] = count + 1

    def content(self, state: State, id: int) -> Any:
        """Return the content of a mutable object in `state`."""
        found = state.heap.get(id)
        if isinstance(found, RowContent):
            return rows.view(self, id, found)
        return found if found is not None else self.initial[id]

    def get(self, id: int) -> Any:
        return self.content(self.state, id)

    def put(self, id: int, content: Content | Storage) -> None:
        row = self.state.heap.get(id)
        if isinstance(row, RowContent):
            rows.store(self, id, row, content)
        else:
            self.state.heap[id] = content

    def is_outside(self, id: int) -> bool:
        """Whether the object exists outside the captured code, so that changing it is an effect."""
        return id in self.initial or id in self.state.escaped

    # ---- values ---------------------------------------------------------------------

    def const(self, value: bool | int | float) -> Value:
        """Emit a scalar constant."""
        type_ = BOOL if isinstance(value, bool) else INT if isinstance(value, int) else FLOAT
        return self.b.one("constant", [], type_, value=value)

    def number_ref(self, value: Abstract) -> Value:
        """Return the graph scalar of a Python number."""
        if isinstance(value, Number):
            return value.ref
        if isinstance(value, Boxed):
            from janus_mlir.capture import boxed

            return self.number_ref(boxed.small(self, value))
        if isinstance(value, ExtentNumber):
            return self.b.one("dim", [], INT, expr=value.expr)
        if isinstance(value, Known) and number_kind(value) is not None:
            return self.const(value.value)
        raise Break("JN504", "a Python int beyond 64 bits")

    def phi_operand(self, operand: object, type: Type) -> Value:
        if operand is POISON:
            return self.b.one("janus.null" if type == OBJECT else "poison", [], type)
        if isinstance(operand, Value):
            return operand
        if isinstance(operand, Packed):
            return operand.packing.buffers()[operand.index]
        if isinstance(operand, Sum):
            return operand.emit(self)
        assert isinstance(operand, Abstract)
        if type == OBJECT:
            made = isinstance(operand, (Number, ExtentNumber))
            return (
                self.b.one("janus.box", [self.number_ref(operand)], OBJECT)
                if made
                else object_ref(self, operand)
            )
        ref = self.number_ref(operand)
        assert ref.type == type or type == SCALARS[number_kind(operand) or "int"]
        return ref

    def var(self, name: str) -> Abstract:
        """Read a variable of the current frame."""
        value = self.state.top.vars.get(name)
        if value is None or (isinstance(value, Known) and value.value is UNBOUND):
            text = f"cannot access local variable {name!r} where it is not associated with a value"
            raise Failed(UnboundLocalError, text)
        return value

    # ---- NumPy's context (see capture.numpy.context) ------------------------------------

    def read(self, array: NumpyArray) -> Value:
        from janus_mlir.capture.numpy import views

        storage = self.get(array.storage)
        return views.apply_view(self.b, storage.ref, array.view)

    def write(self, array: NumpyArray, content: Value) -> None:
        if array.live is not None:
            raise Break("JN505", "an array of a live object is written in place")
        from janus_mlir.capture.numpy import views

        if self.lending.is_item(array.storage):
            raise Break("JN218", "an array of a list of run-time length is changed in place")
        storage = self.get(array.storage)
        ref = views.write_view(self.b, storage.ref, array.view, content)
        self.put(array.storage, Storage(ref, storage.dtype, storage.shape))
        if self.is_outside(array.storage):
            owner = NumpyArray(array.storage, storage.dtype, storage.shape)
            self.outside.mark_written(array.storage)
            copyto = np.copyto

            def statement(w: SiteWriter) -> str:
                fresh = NumpyArray(fresh_id(), storage.dtype, storage.shape)
                w.state.heap[fresh.storage] = Storage(ref, storage.dtype, storage.shape)
                w.escapes = False
                return f"{w.constant(copyto)}({w.expr(owner)}, {w.expr(fresh)})"

            self.effect("array contents written in place", statement)

    def new_array(self, ref: Value, dtype: np.dtype[Any]) -> NumpyArray:
        assert isinstance(ref.type, TensorType)
        id = fresh_id()
        self.put(id, Storage(ref, dtype, ref.type.shape))
        return NumpyArray(id, dtype, ref.type.shape)

    def new_scalar(self, ref: Value, dtype: np.dtype[Any]) -> NumpyScalar:
        return NumpyScalar(ref, dtype)

    def view(self, array: NumpyArray, step: ViewStep, shape: tuple[Any, ...]) -> NumpyArray:
        return NumpyArray(array.storage, array.dtype, shape, (*array.view, step))

    def computes(self) -> None:
        """Note that NumPy computes, which may warn: compiled code must not run where that raises."""
        source = Derived(pinned("np", np), "errstate", numpy_is_quiet)
        quiet = numpy_is_quiet(None)
        text = "NumPy's warnings are not raised" if quiet else "NumPy's warnings are raised"
        self.entry.emit(("is", self.entry.slot(source), quiet), source, "warnings", text)
        if not quiet:
            raise Break("JN408", "a floating-point warning may be raised here")

    def items(self, value: Abstract) -> list[Abstract] | None:
        from janus_mlir.capture.containers import items_of

        return items_of(self, value)

    def make_list(self, items: list[Abstract]) -> Abstract:
        from janus_mlir.capture.containers import new_list

        return new_list(self, tuple(items))

    def storage(self, array: NumpyArray) -> Storage:
        """Return the memory that `array` views."""
        found: Storage = self.get(array.storage)
        return found

    def history(self, source: Source) -> History | None:
        """Return what warm-up calls have seen of an outside object, at the place that is being executed."""
        if self.profile is None or isinstance(source, (Argument, Pinned)):
            return None
        code = self.state.top.function.code
        place = source.name if isinstance(source, (Global, Cell, CellOf)) else self.b.span
        return None if place is None else self.profile.values(code, place)

    def note_written(self, source: Source) -> None:
        """A number that the call writes will differ in the next call: make it a run-time input."""
        if source in self.outside.constant_numbers and source not in self.speculation.dynamic:
            self.speculation.dynamic.add(source)
            raise Respecialise

    def need_constants(self, numbers: list[Abstract]) -> None:
        """JAX needs the value of one of these numbers at trace time: make those from outside constants."""
        sources = [n.source for n in numbers if isinstance(n, Number) and n.source is not None]
        new = [s for s in sources if s not in self.speculation.constant]
        if new:
            self.speculation.constant.update(new)
            raise Respecialise

    def outside_symbol(self, size: int, source: Source, axis: int) -> str:
        """Return the name of the symbolic extent of `source` on `axis`: equal sizes share one."""
        found = self._symbols_by_size.get(size)
        if found is None:
            found = self._symbols_by_size[size] = f"d{len(self._symbols_by_size)}"
        return found

    # ---- sites --------------------------------------------------------------------------

    def object_index(self, source: Source) -> int:
        """Return the position, in a site's ``o``, of the outside object."""
        slot = self.entry.slot(source)
        if slot not in self.objects:
            self.objects.append(slot)
        return self.objects.index(slot)

    def env_index(self) -> int:
        slot = self.entry.env()
        if slot not in self.objects:
            self.objects.append(slot)
        return self.objects.index(slot)

    def object_source(self, id: int) -> Source | None:
        return self.outside.source(id)

    def storage_source(self, storage: int) -> Source | None:
        return self.outside.source(storage)

    def object_class(self, id: int) -> type:
        return self.outside.classes[id]

    def function_builder(self, value: FunctionValue) -> Callable[..., Any]:
        from janus_mlir.capture.closures import function_builder

        return function_builder(value)

    def _site(self, kind: Any, text: str, **more: Any) -> Site:
        site = Site(len(self.sites), kind, self.b.span, text, **more)
        self.sites.append(site)
        return site

    def effect(self, text: str, statement: Callable[[SiteWriter], str]) -> None:
        """Record a held-back effect: `statement` writes the Python that does it."""
        if self.pure > 1 or (self.pure and not (self.lifts is not None and self.lifts.effects)):
            raise Break("JN307", f"an effect inside a function that JAX transforms ({text})")
        writer = SiteWriter(self, self.state, escapes=True)
        line = statement(writer)
        writer.lines.append(line)
        site = self._site("effect", text)
        writer.finish(site, "None")
        self.b.op("janus.record", writer.values, site=site.id, text=text)
        self.state.effects += 1

    def guard(
        self,
        cond: Value,
        kind: str,
        *,
        expected: bool = True,
        text: str = "",
        branch: Span | None = None,
        grows: bool = False,
        wide: Span | None = None,
    ) -> None:
        """Leave compiled code unless `cond` is as expected."""
        if self.pure:
            raise Break("JN308", "a run-time check inside a function that JAX transforms")
        if config.unguarded:
            return
        if not expected:
            cond = self.b.one("arith.xori", [cond, self.const(True)], BOOL)
        if self.stress is not None:
            flag = self.entry.bind("bind_bool", self.stress.next_flag(), BOOL)
            cond = self.b.one("arith.andi", [cond, flag], BOOL)
        site = self._site(
            "exit", text or kind, reason=kind, discard=True, branch=branch, grows=grows, wide=wide
        )
        values = self._leave_at(site)
        self.b.op("janus.guard", [cond, *values], kind=kind, site=site.id, restart=site.discard)

    def frame(self, kind: str, text: str, branch: Span | None = None, constant: Any = None) -> None:
        """Note where compiled code can be left, for a pass that will assume something about what follows."""
        site = self._site("exit", text, reason=kind, discard=True, branch=branch, constant=constant)
        self.b.op("janus.frame", self._leave_at(site), site=site.id, restart=site.discard)

    def _leave_at(self, site: Site) -> list[Value]:
        """Let Python go on from here if the guard of that site fails, or start again if that costs too much."""
        values = resume_point(self, site, policy.arrays_kept_for_guard(branch=site.branch is not None))
        if values is None:
            self._start_again(site)
        return values or []

    def check(self, cond: Value, kind: str, text: str, failed: Failed, *, expected: bool = True) -> None:
        """Raise an exception unless `cond` is as expected: a fork where that may be handled, else a guard."""
        checks = self.checks
        checks.count += 1
        if checks.count <= checks.passed:
            return
        same = checks.depth == len(self.state.frames) and checks.block is self.b.block
        if not checks.allowed or not same or checks.effects != self.state.effects:
            self.guard(cond, kind, expected=expected, text=text)
            return
        if not expected:
            cond = self.b.one("arith.xori", [cond, self.const(True)], BOOL)
        raise Doubtful(cond, failed, checks.count)

    def leave_with_result(self, state: State) -> None:
        """Return from the outermost function, from wherever it is."""
        self.state = state
        writer = SiteWriter(self, state, escapes=False)
        result = writer.expr(state.frames[0].vars[RESULT])
        site = self._site("return", "return")
        writer.finish(site, result)
        self.b.op("janus.leave", writer.values, site=site.id)

    def final_return(self, state: State) -> None:
        """Return from the outermost function at the end of its body."""
        self.state = state
        writer = SiteWriter(self, state, escapes=False)
        result = writer.expr(state.frames[0].vars[RESULT])
        site = self._site("return", "return")
        writer.finish(site, result)
        self.graph.return_site = site.id
        self.b.op("return", writer.values)

    def leave_for(self, reason: Break) -> None:
        """Leave compiled code: Python goes on from the current statement, or starts the call again."""
        if self.pure:
            raise reason
        span = self.b.span
        site = self._site("exit", reason.detail, reason=reason.reason_code, discard=True)
        values = step_point(self, site)
        if values is None:
            values = resume_point(self, site)
        if values is None:
            self._start_again(site)
        self.notes.append(BreakNote(reason.reason_code, reason.detail, span, values is not None))
        self.b.op("janus.deopt", values or [], reason=reason.reason_code, site=site.id)

    def _start_again(self, site: Site) -> None:
        """Let the exit undo the call's effects, and Python start the call from its beginning."""
        site.discard, site.resume = True, []
        SiteWriter(self, self.state, escapes=False).finish(site, "None")

    def if_(
        self,
        cond: Value,
        then: Block,
        orelse: Block,
        results: list[Value],
        counts: BranchCounts | None = None,
    ) -> None:
        """Emit an ``scf.if`` that defines `results`; `counts` are what the profile says of it."""
        attrs = {} if counts is None else {"profile": (counts.taken, counts.not_taken)}
        self.b.block.ops.append(
            Op("scf.if", [cond], results, attrs, [then, orelse], self.b.span, self.b.callers)
        )

    # ---- frames ----------------------------------------------------------------------------

    def pop_frame(self) -> None:
        """Return from an inlined function into its caller."""
        from janus_mlir.capture.generators import end_iteration, finish_generator
        from janus_mlir.capture.instructions import write_variable

        frame = self.state.frames.pop()
        value = frame.vars.get(RESULT, Known(None))
        if frame.override is not None:
            value = frame.override
        if frame.generator is not None:
            finish_generator(self, frame.generator)
            end_iteration(self, frame)
        elif frame.result is not None:
            write_variable(self, frame.result, value)
            caller = self.state.top
            instr = caller.function.code.instrs[caller.pc - 1]
            if isinstance(instr, Call) and instr.dst == frame.result:
                take_snapshot(self, value)

    def step(self) -> Fork | None:
        """Execute the instruction at the current position."""
        from janus_mlir.capture.instructions import execute

        frame = self.state.top
        instr = frame.function.code.instrs[frame.pc]
        self.b.span = instr.span
        code = frame.function.code
        self.visited.setdefault((code.filename, code.first_line, code.qualname), set()).add(instr.span.line)
        self.b.callers = tuple(
            f.call_span for f in reversed(self.state.frames[1:]) if f.call_span is not None
        )
        return execute(self, instr)
