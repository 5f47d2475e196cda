"""The three-address code does what Python does, in the same order."""

from __future__ import annotations

import ast
from typing import Any

import pytest
import source_corpus as corpus
from tac_interpreter import interpret, observe

from janus_mlir.capture.reading import code as tac
from janus_mlir.capture.reading.normalise import compile_function
from janus_mlir.capture.reading.reader import read_function


@pytest.mark.parametrize("args", corpus.ARGUMENTS, ids=str)
@pytest.mark.parametrize("fn", corpus.CASES, ids=lambda fn: fn.__name__)
def test_same_as_python(fn: Any, args: tuple[int, int]) -> None:
    assert observe(interpret(fn), *args) == observe(fn, *args)


def test_methods_and_private_names() -> None:
    obj = corpus.Derived()
    method = interpret(corpus.Derived.method)
    assert method(obj, 4) == obj.method(4)


@pytest.mark.parametrize("fn", corpus.CASES, ids=lambda fn: fn.__name__)
def test_names_agree_with_python(fn: Any) -> None:
    source = read_function(fn)
    code = compile_function(source)
    # Those of comprehensions are the function's own since Python 3.12 (PEP 709).
    inlined = {
        name.id
        for comprehension in ast.walk(source.node)
        if isinstance(comprehension, ast.comprehension)
        for name in ast.walk(comprehension.target)
        if isinstance(name, ast.Name)
    }
    assert code.locals | inlined >= set(fn.__code__.co_varnames)
    assert set(code.frees) == set(fn.__code__.co_freevars)
    # Comprehensions are functions of their own in Python 3.11, and make more variables cells.
    assert code.cells <= set(fn.__code__.co_cellvars)


@pytest.mark.parametrize("fn", corpus.CASES, ids=lambda fn: fn.__name__)
def test_jump_targets_are_pcs(fn: Any) -> None:
    code = compile_function(read_function(fn))
    size = len(code.instrs)
    assert len(code.handlers) == size
    for pc, instr in enumerate(code.instrs):
        match instr:
            case tac.Branch(_, then, orelse, number):
                assert 0 <= then < size and 0 <= orelse < size
                assert code.branches[number].pc == pc
            case tac.Jump(target):
                assert 0 <= target < size
            case tac.ForIter(_, iterator, end, loop):
                assert 0 <= end < size
                assert code.loops[loop].iterator == iterator
                assert pc in code.loops[loop].heads
    assert isinstance(code.instrs[-1], tac.Return | tac.Raise | tac.Reraise | tac.Jump)
