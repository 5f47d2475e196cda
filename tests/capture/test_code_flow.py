"""Post-dominators, liveness and definite assignment."""

from __future__ import annotations

from typing import Any

import pytest
import source_corpus as corpus
from tac_interpreter import UNBOUND, Frame, observe

from janus_mlir.capture.reading import code as tac
from janus_mlir.capture.reading.flow import defs, liveness, maybe_unbound, postdominators, successors, uses
from janus_mlir.capture.reading.normalise import compile_function
from janus_mlir.capture.reading.reader import read_function


def _code(fn: Any) -> tac.Code:
    return compile_function(read_function(fn))


def _postdominator_sets(code: tac.Code) -> list[set[int] | None]:
    """Compute the sets by their definition: what every path to the exit meets."""
    size = len(code.instrs)
    forward = [
        (code.handlers[pc],)
        if isinstance(code.instrs[pc], tac.Raise | tac.Reraise) and code.handlers[pc] is not None
        else successors(code.instrs, pc)
        for pc in range(size)
    ]
    reaches = {size}
    while True:
        more = {pc for pc in range(size) if pc not in reaches and reaches & set(forward[pc])}
        if not more:
            break
        reaches |= more
    result: list[set[int] | None] = [set(range(size + 1)) if pc in reaches else None for pc in range(size)]
    result.append({size})
    changed = True
    while changed:
        changed = False
        for pc in reversed(range(size)):
            if pc not in reaches:
                continue
            new = {pc} | set.intersection(*(result[t] for t in forward[pc] if t in reaches))
            if new != result[pc]:
                result[pc] = new
                changed = True
    return result


@pytest.mark.parametrize("fn", corpus.CASES, ids=lambda fn: fn.__name__)
def test_postdominators(fn: Any) -> None:
    code = _code(fn)
    sets = _postdominator_sets(code)
    for pc, immediate in enumerate(postdominators(code)):
        expected = sets[pc]
        if expected is None:
            assert immediate is None
        else:
            assert immediate is not None
            assert expected == {pc} | sets[immediate]


def test_postdominator_of_branch() -> None:
    def f(a):
        b = a if a else 2
        while b:
            if b > 3:
                raise ValueError
            b -= 1
        return b

    code = _code(f)
    immediate = postdominators(code)
    raising = next(b for b in code.branches if b.span.line == f.__code__.co_firstlineno + 3)
    branch = code.instrs[raising.pc]
    assert immediate[raising.pc] == branch.orelse
    loop = next(b for b in code.branches if b.kind == "while")
    assert immediate[loop.pc] == code.instrs[loop.pc].orelse


class _Checked(Frame):
    """A frame that sees only what is live, and checks what is bound."""

    def step(self, instr: tac.Instr, pc: int) -> int:
        live = liveness(self.code)[pc]
        unbound = maybe_unbound(self.code)[pc]
        for name in list(self.variables):
            if name not in live:
                del self.variables[name]
        for name in live - unbound:
            if name in self.code.locals and name not in self.code.cells:
                assert self.variables.get(name, UNBOUND) is not UNBOUND, (pc, name)
        return super().step(instr, pc)


@pytest.mark.parametrize("args", [(0, 1), (1, 1), (2, 1), (3, 2)], ids=str)
@pytest.mark.parametrize("fn", corpus.CASES, ids=lambda fn: fn.__name__)
def test_only_live_variables_are_read(fn: Any, args: tuple[int, int]) -> None:
    code = _code(fn)
    closure = dict(zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True))
    names = list(code.params)

    def run(*values: object) -> object:
        variables = dict(zip(names, values, strict=False))
        for name in names[3:]:
            variables[name] = {"rest": (), "k": 2, "kw": {}}[name]
        return _Checked(code, fn.__globals__, closure, variables).run()

    assert observe(run, *args) == observe(fn, *args)


def test_no_temporaries_at_statement_starts() -> None:
    def f(xs, n):
        total = 0
        for x in xs:
            for y in x:
                if y > n:
                    total += y if y else n
        return [total, *xs]

    code = _code(f)
    live = liveness(code)
    for pc, instr in enumerate(code.instrs):
        if isinstance(instr, tac.StatementStart):
            loops = code.statements[instr.stmt].loops
            expected = {code.loops[loop].iterator for loop in loops}
            if instr.kind == "iteration":
                expected.add(code.loops[code.statements[instr.stmt].loop].iterator)
            assert {name for name in live[pc] if tac.is_temporary(name)} <= expected


def test_uses_and_defs_know_every_instruction() -> None:
    for fn in corpus.CASES:
        for instr in _code(fn).instrs:
            assert all(isinstance(name, str) for name in (*uses(instr), *defs(instr)))
