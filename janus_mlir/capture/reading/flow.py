"""Flow analyses of three-address code: successors, post-dominators, liveness, definite assignment."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from janus_mlir.capture.reading import code as tac
from janus_mlir.capture.reading.code import Code, Instr, Var

__all__ = ["defs", "liveness", "maybe_unbound", "postdominators", "successors", "uses"]


def uses(instr: Instr) -> tuple[Var, ...]:
    """Return the variables that an instruction reads, in the order in which it reads them."""
    match instr:
        case tac.Const() | tac.LoadGlobal() | tac.LoadFree() | tac.Import() | tac.CatchException():
            return ()
        case tac.Jump() | tac.StatementStart() | tac.EnterTry() | tac.ExitTry():
            return ()
        case tac.Move(_, src) | tac.StoreGlobal(_, src) | tac.StoreFree(_, src) | tac.Return(src):
            return (src,)
        case tac.GetIter(_, src) | tac.Length(_, src) | tac.UnpackSequence(_, src, _) | tac.Yield(src):
            return (src,)
        case tac.Delete(var):
            return (var,)
        case tac.Unary(_, _, a):
            return (a,)
        case tac.Binary(_, _, a, b) | tac.Inplace(_, _, a, b) | tac.Compare(_, _, a, b):
            return (a, b)
        case tac.GetAttr(_, obj, _) | tac.DelAttr(obj, _):
            return (obj,)
        case tac.SetAttr(obj, _, src):
            return (src, obj)
        case tac.GetItem(_, obj, index) | tac.DelItem(obj, index):
            return (obj, index)
        case tac.SetItem(obj, index, src):
            return (src, obj, index)
        case tac.BuildTuple(_, items) | tac.BuildList(_, items) | tac.BuildSet(_, items):
            return tuple(item for item, _ in items)
        case tac.BuildDict(_, pairs):
            return tuple(part for pair in pairs for part in pair if part is not None)
        case tac.BuildSlice(_, a, b, c):
            return (a, b, c)
        case tac.FormatValue(_, src, _, spec):
            return (src,) if spec is None else (src, spec)
        case tac.BuildString(_, parts):
            return parts
        case tac.Call(_, fn, args, kwargs):
            return (fn, *(arg for arg, _ in args), *(value for _, value in kwargs))
        case tac.ForIter(_, iterator):
            return (iterator,)
        case tac.ListAppend(target, item) | tac.SetAdd(target, item):
            return (target, item)
        case tac.DictStore(target, key, item):
            return (target, key, item)
        case tac.MatchSequence(_, subject) | tac.MatchMapping(_, subject):
            return (subject,)
        case tac.MatchKeys(_, subject, keys):
            return (subject, *keys)
        case tac.MatchClass(_, subject, cls, _, _):
            return (subject, cls)
        case tac.Branch(cond, _, _, _):
            return (cond,)
        case tac.Raise(exc, cause, handled):
            return tuple(part for part in (exc, cause, handled) if part is not None)
        case tac.Unsupported(_, _, used, _):
            return used
        case tac.MakeFunction(_, source, defaults, kwdefaults, annotations, _):
            named = (value for _, value in (*kwdefaults, *annotations))
            return (*defaults, *named, *source.frees)
        case tac.MakeClass(_, _, bases, _, frees):
            return (*bases, *frees)
        case tac.MakeGenerator(_, source, iterator):
            return (iterator, *source.frees)
        case tac.EnterWith(_, cm, _) | tac.ExitWith(cm):
            return (cm,)
        case tac.ExceptMatch(_, exc, cls):
            return (exc, cls)
        case tac.EndHandler(exc) | tac.Reraise(exc):
            return (exc,)
        case tac.ExitWithException(_, cm, exc):
            return (cm, exc)
        case _:
            raise AssertionError(f"unknown instruction {type(instr).__name__}")


def defs(instr: Instr) -> tuple[Var, ...]:
    """Return the variables that an instruction binds (not those that it unbinds)."""
    if isinstance(instr, tac.UnpackSequence):
        return instr.dsts
    if isinstance(instr, tac.Unsupported):
        return instr.defs
    dst: Var | None = getattr(instr, "dst", None)
    return () if dst is None else (dst,)


def successors(instrs: tuple[Instr, ...], pc: int) -> tuple[int, ...]:
    """Return where control goes normally after the instruction at `pc`.

    `Return` goes to the virtual exit, ``len(instrs)``; `Raise`, `Reraise` and `Unsupported` leave the code
    and go nowhere.
    """
    match instrs[pc]:
        case tac.Jump(target):
            return (target,)
        case tac.Branch(_, then, orelse, _):
            return (then, orelse)
        case tac.ForIter(_, _, end):
            return (pc + 1, end)
        case tac.Return():
            return (len(instrs),)
        case tac.Raise() | tac.Reraise() | tac.Unsupported():
            return ()
        case _:
            return (pc + 1,)


_R = TypeVar("_R")


def _cached(analysis: Callable[[Code], _R]) -> Callable[[Code], _R]:
    results: weakref.WeakKeyDictionary[Code, _R] = weakref.WeakKeyDictionary()

    def run(code: Code) -> _R:
        if code not in results:
            results[code] = analysis(code)
        return results[code]

    run.__doc__, run.__name__ = analysis.__doc__, analysis.__name__
    return run


@_cached
def postdominators(code: Code) -> list[int | None]:
    """Return the immediate post-dominator of each pc in the normal flow; the exit is ``len(instrs)``.

    Paths that end in `Unsupported`, or raise what nothing in the function handles, leave the code, so they do
    not count: where one side of a `Branch` does so, the other side's beginning is what follows the branch.
    None where no path returns.
    """
    instrs = code.instrs
    exit_ = len(instrs)
    forward = [_onward(code, pc) for pc in range(exit_)]
    backward: list[list[int]] = [[] for _ in range(exit_ + 1)]
    for pc, targets in enumerate(forward):
        for target in targets:
            backward[target].append(pc)

    # Post-order of the reversed graph from the exit.
    order: list[int] = []
    number: dict[int, int] = {}
    seen = {exit_}
    stack: list[tuple[int, Iterator[int]]] = [(exit_, iter(backward[exit_]))]
    while stack:
        node, rest = stack[-1]
        following = next(rest, None)
        if following is None:
            number[node] = len(order)
            order.append(node)
            stack.pop()
        elif following not in seen:
            seen.add(following)
            stack.append((following, iter(backward[following])))

    immediate: dict[int, int] = {exit_: exit_}

    def common(a: int, b: int) -> int:
        while a != b:
            while number[a] < number[b]:
                a = immediate[a]
            while number[b] < number[a]:
                b = immediate[b]
        return a

    changed = True
    while changed:
        changed = False
        for node in reversed(order[:-1]):
            best: int | None = None
            for target in forward[node]:
                if target in immediate:
                    best = target if best is None else common(target, best)
            if best is not None and immediate.get(node) != best:
                immediate[node] = best
                changed = True
    return [immediate.get(pc) for pc in range(exit_)]


def _onward(code: Code, pc: int) -> tuple[int, ...]:
    """Return the successors of an instruction, the handler of what it raises explicitly included."""
    handler = code.handlers[pc]
    if handler is not None and isinstance(code.instrs[pc], tac.Raise | tac.Reraise):
        return (handler,)
    return successors(code.instrs, pc)


class _Bits:
    """Sets of variables as integers."""

    def __init__(self, code: Code) -> None:
        names: dict[Var, int] = {name: 0 for name in code.params}
        names.update(dict.fromkeys(sorted(code.locals), 0))
        for instr in code.instrs:
            names.update(dict.fromkeys((*uses(instr), *defs(instr)), 0))
        self.names = list(names)
        self.index = {name: 1 << position for position, name in enumerate(self.names)}
        self._sets: dict[int, frozenset[Var]] = {}

    def mask(self, names: Iterable[Var]) -> int:
        bits = 0
        for name in names:
            bits |= self.index[name]
        return bits

    def set(self, bits: int) -> frozenset[Var]:
        known = self._sets.get(bits)
        if known is None:
            known = frozenset(name for position, name in enumerate(self.names) if bits >> position & 1)
            self._sets[bits] = known
        return known


def _edges(code: Code, pc: int) -> tuple[int, ...]:
    """Return the successors within the code, as the Python function would go on: past `Unsupported` too."""
    if isinstance(code.instrs[pc], tac.Unsupported):
        return (pc + 1,)
    return tuple(target for target in successors(code.instrs, pc) if target < len(code.instrs))


@_cached
def liveness(code: Code) -> list[frozenset[Var]]:
    """Return the variables that are live before each pc: some path from there reads them before binding them.

    Paths through exception handlers count, since Python may take them after the compiled code was left.
    """
    bits = _Bits(code)
    size = len(code.instrs)
    used = [bits.mask(uses(instr)) for instr in code.instrs]
    bound = [bits.mask(defs(instr)) for instr in code.instrs]
    for pc, instr in enumerate(code.instrs):
        if isinstance(instr, tac.Unsupported):
            # The statement may or may not bind its variables.
            bound[pc] = 0
        elif isinstance(instr, tac.MakeFunction | tac.MakeGenerator | tac.MakeClass):
            # An inner function may be the first to read a variable that it captures.
            used[pc] &= bits.mask(code.locals) | bits.mask(n for n in uses(instr) if tac.is_temporary(n))
        elif isinstance(instr, tac.Delete):
            bound[pc] = 0
        elif isinstance(instr, tac.LoadGlobal) and instr.name == "super" and "__class__" in code.frees:
            # Without arguments it reads the first parameter.
            used[pc] = bits.mask(list(code.params)[:1])
    live = [0] * size
    changed = True
    while changed:
        changed = False
        for pc in range(size - 1, -1, -1):
            instr = code.instrs[pc]
            if isinstance(instr, tac.ForIter):
                # At the end of the loop the target is left as it was.
                new = used[pc] | (live[pc + 1] & ~bound[pc]) | live[instr.end]
            else:
                out = 0
                for target in _edges(code, pc):
                    out |= live[target]
                new = used[pc] | (out & ~bound[pc])
            handler = code.handlers[pc]
            if handler is not None:
                new |= live[handler]
            if new != live[pc]:
                live[pc] = new
                changed = True
    return [bits.set(value) for value in live]


@_cached
def maybe_unbound(code: Code) -> list[frozenset[Var]]:
    """Return the locals that may be unbound before each pc."""
    bits = _Bits(code)
    size = len(code.instrs)
    bound = [bits.mask(defs(instr)) for instr in code.instrs]
    unbound: list[int | None] = [None] * size
    start = bits.mask(code.locals) & ~bits.mask(code.params)
    unbound[0] = start
    work = [0]
    while work:
        pc = work.pop()
        before = unbound[pc]
        assert before is not None
        instr = code.instrs[pc]
        if isinstance(instr, tac.Unsupported):
            after = before | (bound[pc] & bits.mask(code.locals))
        elif isinstance(instr, tac.Delete):
            after = before | (bits.index[instr.var] & bits.mask(code.locals))
        else:
            after = before & ~bound[pc]
        if isinstance(instr, tac.ForIter):
            flows = [(pc + 1, after), (instr.end, before)]
        else:
            flows = [(target, after) for target in _edges(code, pc)]
        handler = code.handlers[pc]
        if handler is not None:
            flows.append((handler, before | after))
        for target, value in flows:
            old = unbound[target]
            new = value if old is None else old | value
            if new != old:
                unbound[target] = new
                work.append(target)
    return [bits.set(value or 0) for value in unbound]
