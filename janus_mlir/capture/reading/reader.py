"""From a function object to its syntax tree.

The file (or notebook cell) that the function stands in is parsed and compiled once. The function's code
object is looked up among the compiled ones: only if it is really what this source compiles to is the tree
believed, so a file that was edited after its import is never read by mistake.
"""

from __future__ import annotations

import ast
import copy
import functools
import linecache
import types
from collections.abc import Iterator
from dataclasses import dataclass

from janus_mlir.capture.reading.parsing import compile_file
from janus_mlir.capture.reading.scopes import FunctionNode, Scope, analyse, mangle_tree

__all__ = ["FunctionSource", "Unreadable", "read_function", "remember_source"]

_FUTURE_MASK = 0x1FF0000
_FUTURE_ANNOTATIONS = 0x1000000


@dataclass(eq=False)
class FunctionSource:
    """The source of one function, nested function, lambda or generator expression.

    Attributes
    ----------
    node : ast node
        The function, with absolute line numbers; private names are mangled.
    filename, name, qualname : str
        As in the code object.
    first_line : int
        ``co_firstlineno``: the line of the first decorator, if there is one.
    frees : tuple of str
        Closure variables, sorted.
    lazy_annotations : bool
        Whether ``from __future__ import annotations`` holds.
    code_object : code or None
        What Python runs for it, where it could be told.
    exact : bool
        Whether that code is just what the source compiles to: not with ``assert`` rewritten by pytest.
    """

    node: FunctionNode
    filename: str
    name: str
    qualname: str
    first_line: int
    frees: tuple[str, ...]
    lazy_annotations: bool
    code_object: types.CodeType | None
    exact: bool = True

    @functools.cached_property
    def scope(self) -> Scope:
        """The names of the function."""
        return analyse(self.node, lazy_annotations=self.lazy_annotations)

    @functools.cached_property
    def body(self) -> list[ast.stmt]:
        """The statements; those of lambdas and generator expressions are made up."""
        if isinstance(self.node, ast.Lambda):
            return [ast.copy_location(ast.Return(value=self.node.body), self.node.body)]
        if isinstance(self.node, ast.GeneratorExp):
            return [ast.copy_location(ast.Expr(value=self.node), self.node)]
        return self.node.body

    @property
    def suspends(self) -> bool:
        """Whether it is a generator or coroutine."""
        return self.scope.suspends

    @property
    def asynchronous(self) -> bool:
        """Whether it is a coroutine or asynchronous generator."""
        return self.scope.awaits

    @functools.cached_property
    def renames(self) -> bool:
        """Whether mangling has changed the name of an inner function or class.

        Compiling the tree again would give these another ``__name__``.
        """
        return any(
            original_name(node) != node.name
            for node in ast.walk(self.node)
            if node is not self.node and isinstance(node, _NAMED)
        )

    def inner(self, node: FunctionNode, frees: tuple[str, ...]) -> FunctionSource:
        """Return the source of a function nested in this one."""
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                name = original_name(node)
                first_line = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            case ast.Lambda():
                name, first_line = "<lambda>", node.lineno
            case ast.GeneratorExp():
                name, first_line = "<genexpr>", node.lineno
        code = self.code_object and _find_code(self.code_object, node, name, first_line)
        return FunctionSource(
            node=node,
            filename=self.filename,
            name=name,
            qualname=f"{self.qualname}.<locals>.{name}" if code is None else code.co_qualname,
            first_line=first_line,
            frees=frees,
            lazy_annotations=self.lazy_annotations,
            code_object=code,
            exact=self.exact,
        )


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why there is no source to work from: a code of `janus_mlir.reasons` and the details."""

    code: str
    message: str


_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def original_name(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    """Return the name that a nested function or class gets as its ``__name__``: never mangled."""
    name: str = getattr(node, "janus_name", node.name)
    return name


# ---- files


@dataclass(frozen=True, slots=True)
class _Definition:
    node: FunctionNode
    first_line: int
    class_name: str | None


@dataclass(frozen=True, slots=True)
class _File:
    lines: list[str]
    definitions: dict[tuple[str, int], list[_Definition]]
    codes: dict[tuple[str, int], list[types.CodeType]]


def _definitions(node: ast.AST, class_name: str | None) -> Iterator[tuple[str, _Definition]]:
    for child in ast.iter_child_nodes(node):
        inner = class_name
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
                yield child.name, _Definition(child, first, class_name)
            case ast.Lambda():
                yield "<lambda>", _Definition(child, child.lineno, class_name)
            case ast.ClassDef():
                inner = child.name
        yield from _definitions(child, inner)


def _nested_codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for value in code.co_consts:
        if isinstance(value, types.CodeType):
            yield value
            yield from _nested_codes(value)


_files: dict[str, _File] = {}
# By the id of the code object, which is kept so that its id stays its own.
_sources: dict[int, tuple[types.CodeType, FunctionSource | Unreadable]] = {}


def _read_file(filename: str, lines: list[str], flags: int) -> _File:
    known = _files.get(filename)
    if known is not None and known.lines == lines:
        return known
    tree, module = compile_file("".join(lines), filename, flags)
    definitions: dict[tuple[str, int], list[_Definition]] = {}
    for name, definition in _definitions(tree, None):
        definitions.setdefault((name, definition.first_line), []).append(definition)
    codes: dict[tuple[str, int], list[types.CodeType]] = {}
    for code in _nested_codes(module):
        codes.setdefault((code.co_name, code.co_firstlineno), []).append(code)
    file = _File(list(lines), definitions, codes)
    _files[filename] = file
    return file


# ---- matching code objects with nodes


def _extent(code: types.CodeType) -> tuple[int, int, int, int] | None:
    """Return first and last position of what `code` does, or None if Python does not keep positions."""
    starts, ends = [], []
    for line, end_line, col, end_col in code.co_positions():
        if line is None or end_line is None or col is None or end_col is None:
            continue
        if (end_line, end_col) > (line, col):
            starts.append((line, col))
            ends.append((end_line, end_col))
    if not starts:
        return None
    return (*min(starts), *max(ends))


def _node_extent(node: ast.expr) -> tuple[int, int, int, int]:
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0


def _is_code_of(code: types.CodeType, node: FunctionNode) -> bool:
    """Tell whether the positions in `code` are those of `node`, exactly."""
    if isinstance(node, ast.Lambda):
        return _extent(code) == _node_extent(node.body)
    if isinstance(node, ast.GeneratorExp):
        return _extent(code) == _node_extent(node)
    return True


def _find_code(
    outer: types.CodeType, node: FunctionNode, name: str, first_line: int
) -> types.CodeType | None:
    found = [
        code
        for code in _nested_codes(outer)
        if code.co_name == name and code.co_firstlineno == first_line and _is_code_of(code, node)
    ]
    return found[0] if len(found) == 1 else None


def class_code(source: FunctionSource, node: ast.ClassDef) -> types.CodeType | None:
    """Return the code of the body of a class statement in a function, None if it cannot be told."""
    if source.code_object is None or original_name(node) != node.name:
        return None
    first_line = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    consts = source.code_object.co_consts
    found = [
        code
        for code in consts
        if isinstance(code, types.CodeType)
        and code.co_name == node.name
        and code.co_firstlineno == first_line
    ]
    return found[0] if len(found) == 1 else None


def _is_rewritten_assert(code: types.CodeType) -> bool:
    """Tell whether pytest has rewritten the ``assert`` statements in `code`, which changes no meaning."""
    names = (*code.co_varnames, *code.co_names)
    return any(name.startswith("@py") for name in names) or any(
        map(_is_rewritten_assert, _nested_codes(code))
    )


def _same_signature(code: types.CodeType, other: types.CodeType) -> bool:
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    return (
        code.co_argcount == other.co_argcount
        and code.co_kwonlyargcount == other.co_kwonlyargcount
        and code.co_posonlyargcount == other.co_posonlyargcount
        and code.co_varnames[:count] == other.co_varnames[:count]
        and code.co_freevars == other.co_freevars
        and code.co_flags == other.co_flags
    )


def _matches(code: types.CodeType, compiled: types.CodeType) -> bool:
    if code == compiled:
        return True
    return _is_rewritten_assert(code) and _same_signature(code, compiled)


def _read_code(code: types.CodeType, module_globals: dict[str, object]) -> FunctionSource | Unreadable:
    if code.co_flags & 0x280:
        return Unreadable("JN105", f"{code.co_qualname} is a generator or coroutine")
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename, module_globals)
    if not lines:
        return Unreadable("JN101", f"no source for {code.co_qualname} ({code.co_filename})")
    flags = code.co_flags & _FUTURE_MASK
    try:
        file = _read_file(code.co_filename, lines, flags)
    except (SyntaxError, ValueError) as error:
        return Unreadable("JN106", f"{code.co_filename}: {error}")
    key = (code.co_name, code.co_firstlineno)
    if not any(_matches(code, compiled) for compiled in file.codes.get(key, ())):
        return Unreadable("JN104", f"{code.co_qualname} is not what {code.co_filename} says now")
    candidates = file.definitions.get(key, [])
    if len(candidates) > 1 or code.co_name == "<lambda>":
        exact = [candidate for candidate in candidates if _is_code_of(code, candidate.node)]
        if not exact and len(candidates) == 1:
            exact = candidates
        candidates = exact
    if len(candidates) != 1:
        return Unreadable(
            "JN103", f"{len(candidates)} candidates for {code.co_qualname} in line {code.co_firstlineno}"
        )
    definition = candidates[0]
    # The tree is shared by all functions of the file; mangling and later rewriting work on a copy.
    node = copy.deepcopy(definition.node)
    for inner in ast.walk(node):
        if isinstance(inner, _NAMED) and inner is not node:
            inner.janus_name = inner.name  # type: ignore[union-attr]
    _mangle(node, definition.class_name)
    source = FunctionSource(
        node=node,
        filename=code.co_filename,
        name=code.co_name,
        qualname=code.co_qualname,
        first_line=code.co_firstlineno,
        frees=tuple(sorted(code.co_freevars)),
        lazy_annotations=bool(code.co_flags & _FUTURE_ANNOTATIONS),
        code_object=code,
        exact=any(code == compiled for compiled in file.codes[key]),
    )
    return source


def _mangle(node: FunctionNode, class_name: str | None) -> None:
    if class_name is None:
        return
    if isinstance(node, ast.FunctionDef):
        # The function's own name is bound outside of it.
        name, node.name = node.name, "f"
        mangle_tree(node, class_name)
        node.name = name
    else:
        mangle_tree(node, class_name)


def read_function(fn: object, *, generators: bool = False) -> FunctionSource | Unreadable:
    """Return the source of a Python function (or of a bound method's function).

    The answer is kept by code object. Generator functions are only read for those that ask for them.
    """
    if isinstance(fn, types.MethodType):
        fn = fn.__func__
    if not isinstance(fn, types.FunctionType):
        return Unreadable("JN102", f"{fn!r} is not a Python function")
    code = fn.__code__
    known = _sources.get(id(code))
    if known is None:
        known = code, _read_code(code, fn.__globals__)
        _sources[id(code)] = known
    source = known[1]
    if isinstance(source, FunctionSource) and source.suspends and not generators:
        return Unreadable("JN105", f"{code.co_qualname} is a generator or coroutine")
    return source


def remember_source(code: types.CodeType, source: FunctionSource) -> None:
    """Make `read_function` answer with `source` for functions of this code: for code that Janus has made."""
    _sources[id(code)] = code, source
