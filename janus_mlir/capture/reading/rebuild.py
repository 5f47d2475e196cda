"""Making code objects from changed syntax trees that still look like the user's."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, final

from janus_mlir.capture.reading.parsing import compile_tree, parse
from janus_mlir.capture.reading.reader import FunctionSource

__all__ = [
    "UNBOUND", "Marker", "close_over", "compile_as", "fill_rows", "list_iterator", "made_expression", "made_statement",
    "text_column", "union_column",
]  # fmt: skip


@final
class Marker:
    """An object that is nothing but itself."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


UNBOUND: Final = Marker("<unbound>")
"""Passed to a resume function for a local that is not bound."""


def made_statement(text: str, place: ast.AST) -> ast.stmt:
    """Parse a statement and put all of it where `place` is."""
    made = parse(text).body[0]
    for child in ast.walk(made):
        if "lineno" in child._attributes:
            ast.copy_location(child, place)
    return made


def made_expression(text: str, place: ast.AST) -> ast.expr:
    """Parse an expression and put all of it where `place` is."""
    made = made_statement(text, place)
    assert isinstance(made, ast.Expr)
    return made.value


def _renamed(code: types.CodeType, prefix: str, qualname: str) -> types.CodeType:
    """Return `code` with the qualified names that it has in the user's function, inner functions included."""
    consts = tuple(_renamed_constant(value, prefix, qualname) for value in code.co_consts)
    name = code.co_qualname
    if name.startswith(prefix):
        name = qualname + name[len(prefix) :]
    return code.replace(co_consts=consts, co_qualname=name)


def _renamed_constant(value: object, prefix: str, qualname: str) -> object:
    if isinstance(value, types.CodeType):
        return _renamed(value, prefix, qualname)
    if isinstance(value, str) and value.startswith(prefix):
        return qualname + value[len(prefix) :]  # the name that the body of a class gives it
    return value


def compile_as(source: FunctionSource, function: ast.FunctionDef, helpers: Iterable[str]) -> types.CodeType:
    """Compile `function` in place of the function that `source` stands for.

    Parameters
    ----------
    source : FunctionSource
        The user's function: its names, file and closure variables.
    function : FunctionDef
        What to compile.
    helpers : iterable of str
        Further closure variables that it may use.
    """
    names = [*source.frees, *(name for name in helpers if name not in source.frees)]
    factory = parse(f"def __janus_factory({', '.join(names)}): pass").body[0]
    assert isinstance(factory, ast.FunctionDef)
    # Under its own name it would hide the variable of that name which a recursive function calls itself by.
    function.name = "__janus_function"
    factory.body = [function]
    flags = 0x1000000 if source.lazy_annotations else 0
    outer = compile_tree(ast.Module([factory], []), source.filename, flags)
    made = next(value for value in outer.co_consts if isinstance(value, types.CodeType))
    code = next(value for value in made.co_consts if isinstance(value, types.CodeType))
    return _renamed(code, code.co_qualname, source.qualname).replace(co_name=source.name)


def close_over(
    code: types.CodeType, fn: types.FunctionType, helpers: Mapping[str, object]
) -> types.FunctionType:
    """Return a function of `code` with the globals, closure cells and names of `fn`, without its defaults."""
    own = dict(zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True))
    cells = (own[name] if name in own else types.CellType(helpers[name]) for name in code.co_freevars)
    made = types.FunctionType(code, fn.__globals__, fn.__name__, None, tuple(cells))
    made.__qualname__ = fn.__qualname__
    made.__module__ = fn.__module__
    made.__doc__ = fn.__doc__
    return made


# ---- what sites call -----------------------------------------------------------------------------


def union_column(which: list[int], constants: dict[int, Any], columns: dict[int, list[Any]]) -> list[Any]:
    """Return the items of a list that are one of several things, by tag."""
    return [columns[tag][i] if tag in columns else constants[tag] for i, tag in enumerate(which)]


def text_column(pieces: tuple[Any, ...], rows: Iterable[tuple[Any, ...]]) -> list[str]:
    """Return strings that are made in one way of different numbers."""
    convert: dict[Any, Callable[[Any], Any]] = {"s": str, "r": repr, "a": ascii, None: lambda x: x}
    result = []
    for row in rows:
        numbers = iter(row)
        made = (p if isinstance(p, str) else format(convert[p[0]](next(numbers)), p[1]) for p in pieces)
        result.append("".join(made))
    return result


def fill_rows(rows: list[list[Any]], lengths: list[int], items: list[Any]) -> None:
    """Give each of some lists its share of the items of all."""
    start = 0
    for row, length in zip(rows, lengths, strict=True):
        row += items[start : start + length]
        start += length


def list_iterator(items: list[Any], position: int) -> Any:
    """Return an iterator over a list that has come to a position."""
    iterator: Any = iter(items)
    iterator.__setstate__(position)
    return iterator
