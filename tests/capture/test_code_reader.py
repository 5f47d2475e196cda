"""Functions are found in their source, or refused with a code."""

from __future__ import annotations

import ast
import doctest
import functools
import importlib.util
import linecache
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import reader_corpus as corpus

from janus_mlir.capture.reading import code as tac
from janus_mlir.capture.reading.normalise import compile_function
from janus_mlir.capture.reading.reader import FunctionSource, Unreadable, read_function
from janus_mlir.reasons import REASONS


def _read(fn: object) -> FunctionSource:
    source = read_function(fn)
    assert isinstance(source, FunctionSource), source
    return source


def _code_of(fn: object) -> str:
    source = read_function(fn)
    assert isinstance(source, Unreadable), source
    assert source.code in REASONS
    return source.code


@pytest.mark.parametrize("index", range(len(corpus.LAMBDAS)))
def test_lambdas_are_told_apart(index: int) -> None:
    fn, text = corpus.LAMBDAS[index]
    assert ast.unparse(_read(fn).node) == text


def test_decorated_functions() -> None:
    source = _read(corpus.decorated.__wrapped__)
    assert source.first_line == corpus.decorated.__wrapped__.__code__.co_firstlineno
    assert source.node.lineno == source.first_line + 2


def test_methods_and_nested_functions() -> None:
    assert _read(corpus.Outer.Inner.method).qualname == "Outer.Inner.method"
    assert _read(corpus.Outer.Inner().method) is _read(corpus.Outer.Inner.method)
    assert _read(corpus.make(1)) is _read(corpus.make(2))
    assert _read(corpus.make(1)).frees == ("n",)
    assert _read(corpus.Outer.Inner.static).name == "static"
    assert _read(corpus.redefined).node.body[0].value.value == 2


def test_private_names_are_mangled() -> None:
    text = ast.unparse(_read(corpus.Outer.Inner.method).node)
    assert "_Inner__x" in text and "self.__dict__" in text
    names = {n.id for n in ast.walk(_read(corpus.Outer.Inner.method).node) if isinstance(n, ast.Name)}
    assert names >= {"_Inner__y"}


def test_spans_are_absolute() -> None:
    source = _read(corpus.spans)
    code = compile_function(source)
    call = next(i for i in code.instrs if isinstance(i, tac.Call))
    line = linecache.getline(call.span.filename, call.span.line)
    assert line.encode()[call.span.col : call.span.end_col].decode() == 'len("é" + x)'


def test_unreadable() -> None:
    namespace: dict[str, Any] = {}
    exec("def f(x): return x", namespace)
    assert _code_of(namespace["f"]) == "JN101"
    assert _code_of(len) == "JN102"
    assert _code_of(int) == "JN102"
    assert _code_of(functools.partial(corpus.spans)) == "JN102"
    assert _code_of(corpus.generator) == "JN105"
    assert _code_of(corpus.coroutine) == "JN105"
    assert _code_of(corpus.async_generator) == "JN105"


def _load(path: Path, name: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_changed_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "changing.py"
    path.write_text("def f(x):\n    return x + 1\n\ndef g(x):\n    return x\n")
    module = _load(path, "changing")
    path.write_text("def f(x):\n    return x + 2\n\ndef g(x):\n    return x\n# longer\n")
    assert _code_of(module.f) == "JN104"
    assert _read(module.g).name == "g"
    path.write_text("def f(x:\n")
    again = _load_code(path, module.f)
    assert _code_of(again) == "JN106"


def _load_code(path: Path, fn: Any) -> Any:
    """Return a function with a code object of its own, not read before."""
    return types.FunctionType(fn.__code__.replace(co_name="f"), {})


def test_notebook_cells() -> None:
    text = "def cell(x):\n    return x * 2\n"
    name = "/tmp/ipykernel_1/2.py"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    namespace: dict[str, Any] = {}
    exec(compile(text, name, "exec"), namespace)
    assert _read(namespace["cell"]).filename == name


def test_doctests() -> None:
    results: list[object] = []
    text = """
    >>> def f(x):
    ...     return x + 1
    >>> note(read(f))
    """
    globs = {"read": read_function, "note": results.append}
    test = doctest.DocTestParser().get_doctest(text, globs, "inline", None, None)
    doctest.DocTestRunner().run(test)
    assert isinstance(results[0], FunctionSource)


def test_asserts_rewritten_by_pytest() -> None:
    def f(x):
        assert x > 1, "message"
        return x

    source = _read(f)
    assert not source.exact
    assert compile_function(source).branches[0].kind == "assert"


def test_future_annotations() -> None:
    assert _read(corpus.spans).lazy_annotations
    text = "def outer():\n    def f(x: 1): return x\n    return f\n"
    name = "/tmp/ipykernel_1/3.py"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    namespace: dict[str, Any] = {}
    exec(compile(text, name, "exec", dont_inherit=True), namespace)
    assert not _read(namespace["outer"]).lazy_annotations


@pytest.mark.parametrize(
    ("fn", "reason"), corpus.UNSUPPORTED, ids=lambda value: getattr(value, "__name__", value)
)
def test_unsupported_statements(fn: Any, reason: str) -> None:
    code = compile_function(_read(fn))
    found = [i for i in code.instrs if isinstance(i, tac.Unsupported)]
    assert [i.code for i in found] == [reason]
    assert reason in REASONS
    # The statements around it are compiled.
    returns = [i for i in code.instrs if isinstance(i, tac.Return)]
    assert returns


def test_inner_generators_yield() -> None:
    code = compile_function(_read(corpus.makes_generator))
    made = next(i for i in code.instrs if isinstance(i, tac.MakeFunction))
    inner = compile_function(made.source)
    assert inner.is_generator
    assert any(isinstance(i, tac.Yield) for i in inner.instrs)


def test_literals_are_pythons_own_objects() -> None:
    code = compile_function(_read(corpus.literals))
    values = [i.value for i in code.instrs if isinstance(i, tac.Const)]
    assert any(value is corpus.literals() for value in values)


def test_inner_code_objects_are_found() -> None:
    code = compile_function(_read(corpus.makes_functions))
    made = [i.source for i in code.instrs if isinstance(i, tac.MakeFunction | tac.MakeGenerator)]
    assert len(made) == 5
    assert all(source.code_object is not None for source in made)
    for source in made:
        assert source.code_object is not None
        assert source.frees == source.code_object.co_freevars


@pytest.mark.skipif(sys.flags.optimize > 0, reason="asserts are stripped")
def test_standard_library_functions_can_be_read() -> None:
    import statistics
    import textwrap

    for module in (statistics, textwrap, ast):
        for value in vars(module).values():
            if isinstance(value, types.FunctionType) and value.__module__ == module.__name__:
                source = read_function(value)
                if isinstance(source, FunctionSource):
                    assert set(source.frees) == set(value.__code__.co_freevars)
                    assert compile_function(source).locals >= set(value.__code__.co_varnames)
                else:
                    assert source.code in ("JN101", "JN105")
