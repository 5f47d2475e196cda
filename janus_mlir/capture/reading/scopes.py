"""Which names of a function are local, captured by inner functions, free or global.

Python's own ``symtable`` wants whole source files and does not know the closure of a function that exists
already; this analysis starts from one function and the names that its enclosing functions can hand to it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["Comprehension", "FunctionNode", "Scope", "analyse", "child_frees", "mangle", "mangle_tree"]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.GeneratorExp
"""What has code of its own: functions, and generator expressions."""

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp
"""What is compiled into the function around it, with variables of its own."""


@dataclass(eq=False)
class Scope:
    """The names of one function, comprehension, generator expression or class body.

    Attributes
    ----------
    kind : str
        ``function``, ``comprehension``, ``generator`` or ``class``.
    bound : set of str
        Names bound here, parameters included, without those declared ``global`` or ``nonlocal``.
    loads : set of str
        Names read here.
    globals, nonlocals : set of str
        Names so declared.
    children : dict
        Scopes of the nodes nested directly within.
    through : set of str
        Names that the methods of a class body need from outside of it.
    suspends : bool
        Whether a ``yield`` or ``await`` belongs to this scope.
    awaits : bool
        Whether an ``await`` does, or the function is ``async``.
    """

    kind: str
    node: ast.AST
    bound: set[str] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    children: dict[ast.AST, Scope] = field(default_factory=dict)
    through: set[str] = field(default_factory=set)
    suspends: bool = False
    awaits: bool = False

    def unresolved(self) -> set[str]:
        """Names that must come from outside: from an enclosing function or the globals."""
        names = self.loads | self.nonlocals
        for child in self.children.values():
            names |= child.unresolved()
        return (names - self.bound - self.globals) | self.through

    def _rebinds_outside(self) -> set[str]:
        names = set(self.nonlocals)
        for child in self.children.values():
            names |= child._rebinds_outside() - self.bound
        return names - self.globals

    def captured(self) -> set[str]:
        """Names of this or enclosing scopes that inner functions, generators and classes use."""
        names: set[str] = set()
        for child in self.children.values():
            if child.kind == "comprehension":
                names |= child.captured() - child.bound
            else:
                names |= child.unresolved()
        return names

    def captures_own(self) -> bool:
        """Tell whether an inner function captures one of this comprehension's own variables."""
        return bool(self.captured() & self.bound) or any(
            child.kind == "comprehension" and child.captures_own() for child in self.children.values()
        )

    def cells(self) -> set[str]:
        """The names bound here that inner functions capture."""
        return self.captured() & self.bound

    def shared(self) -> set[str]:
        """The names bound here that inner functions rebind."""
        names: set[str] = set()
        for child in self.children.values():
            names |= child._rebinds_outside()
        return names & self.bound

    def frees(self, visible: Iterable[str]) -> tuple[str, ...]:
        """Closure variables, given the names that enclosing functions can hand in."""
        return tuple(sorted(self.unresolved() & set(visible)))


class _Collector(ast.NodeVisitor):
    def __init__(self, scope: Scope, lazy_annotations: bool) -> None:
        self.scope = scope
        self.lazy_annotations = lazy_annotations
        # Scopes that a walrus passes through on its way to the function that it binds in.
        self.walrus_scopes: list[Scope] = []

    def _nested(self, scope: Scope, walrus_scopes: list[Scope]) -> _Collector:
        self.scope.children[scope.node] = scope
        collector = _Collector(scope, self.lazy_annotations)
        collector.walrus_scopes = walrus_scopes
        return collector

    # -- names

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.scope.loads.add(node.id)
            if node.id == "super":
                self.scope.loads.add("__class__")
        else:
            self.scope.bound.add(node.id)
            if isinstance(node.ctx, ast.Del):
                self.scope.loads.add(node.id)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        name = node.target.id
        if not self.walrus_scopes:
            self.scope.bound.add(name)
            return
        self.walrus_scopes[0].bound.add(name)
        for scope in [*self.walrus_scopes[1:], self.scope]:
            if scope.kind == "generator":
                scope.nonlocals.add(name)
            else:
                scope.loads.add(name)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.scope.loads.add(node.target.id)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.target)
        if node.value is not None:
            self.visit(node.value)

    def visit_Global(self, node: ast.Global) -> None:
        self.scope.globals.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.scope.nonlocals.update(node.names)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.scope.bound.add(alias.asname or alias.name.partition(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name != "*":
                self.scope.bound.add(alias.asname or alias.name)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name is not None:
            self.scope.bound.add(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        if node.name is not None:
            self.scope.bound.add(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name is not None:
            self.scope.bound.add(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest is not None:
            self.scope.bound.add(node.rest)
        self.generic_visit(node)

    def visit_Yield(self, node: ast.Yield) -> None:
        self.scope.suspends = True
        self.generic_visit(node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> None:
        self.scope.suspends = True
        self.generic_visit(node)

    def visit_Await(self, node: ast.Await) -> None:
        self.scope.suspends = self.scope.awaits = True
        self.generic_visit(node)

    # -- nested scopes

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.scope.bound.add(node.name)
        for decorator in node.decorator_list:
            self.visit(decorator)
        self._defaults(node.args)
        if not self.lazy_annotations:
            for annotation in annotations_of(node):
                self.visit(annotation[1])
        self._nested(Scope("function", node), []).function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._defaults(node.args)
        self._nested(Scope("function", node), []).function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.scope.bound.add(node.name)
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        scope = Scope("class", node)
        collector = self._nested(scope, [])
        for statement in node.body:
            collector.visit(statement)
        scope.bound -= scope.globals | scope.nonlocals
        for child in scope.children.values():
            # Methods do not see the names of the class body, but for the class itself.
            scope.through |= child.unresolved() - {"__class__"}
            scope.nonlocals |= child._rebinds_outside()
        scope.children.clear()

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node, "comprehension", node.generators, [node.elt])

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._comprehension(node, "comprehension", node.generators, [node.elt])

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node, "comprehension", node.generators, [node.key, node.value])

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node, "generator", node.generators, [node.elt])

    def _comprehension(
        self, node: ast.expr, kind: str, generators: list[ast.comprehension], parts: list[ast.expr]
    ) -> None:
        self.visit(generators[0].iter)
        outer = (
            [*self.walrus_scopes, self.scope]
            if self.scope.kind in ("comprehension", "generator")
            else [self.scope]
        )
        scope = Scope(kind, node)
        self._nested(scope, outer).generators(generators, parts)
        walrus = any(isinstance(child, ast.NamedExpr) for child in ast.walk(node))
        if kind == "comprehension" and scope.captures_own() and not walrus:
            # Its variables need cells, so that it is a function of its own, as it is to Python up to 3.11.
            scope.kind = "generator"

    def generators(self, generators: list[ast.comprehension], parts: list[ast.expr]) -> None:
        """Visit what belongs to a comprehension's own scope."""
        for index, generator in enumerate(generators):
            if index:
                self.visit(generator.iter)
            self.visit(generator.target)
            for test in generator.ifs:
                self.visit(test)
            self.scope.suspends |= bool(generator.is_async)
            self.scope.awaits |= bool(generator.is_async)
        for part in parts:
            self.visit(part)

    def _defaults(self, args: ast.arguments) -> None:
        for default in (*args.defaults, *args.kw_defaults):
            if default is not None:
                self.visit(default)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        """Visit what belongs to a function's own scope."""
        for arg in all_args(node.args):
            self.scope.bound.add(arg.arg)
        if isinstance(node, ast.Lambda):
            self.visit(node.body)
        else:
            for statement in node.body:
                self.visit(statement)
            self.scope.suspends |= isinstance(node, ast.AsyncFunctionDef)
            self.scope.awaits |= isinstance(node, ast.AsyncFunctionDef)
        self.scope.bound -= self.scope.globals | self.scope.nonlocals


def all_args(args: ast.arguments) -> list[ast.arg]:
    """Return all parameters in the order of the signature."""
    result = [*args.posonlyargs, *args.args]
    if args.vararg is not None:
        result.append(args.vararg)
    result += args.kwonlyargs
    if args.kwarg is not None:
        result.append(args.kwarg)
    return result


def annotations_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[tuple[str, ast.expr]]:
    """Return the annotations of a signature in the order in which Python evaluates them."""
    args = node.args
    ordered: list[ast.arg | None] = [*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg]
    result = [(arg.arg, arg.annotation) for arg in ordered if arg is not None and arg.annotation is not None]
    if node.returns is not None:
        result.append(("return", node.returns))
    return result


def analyse(node: FunctionNode, *, lazy_annotations: bool = False) -> Scope:
    """Return the names of a function or generator expression, with its inner scopes.

    Parameters
    ----------
    node : ast node
        The function; names are mangled already.
    lazy_annotations : bool
        Whether ``from __future__ import annotations`` holds.
    """
    if isinstance(node, ast.GeneratorExp):
        scope = Scope("generator", node)
        _Collector(scope, lazy_annotations).generators(node.generators, [node.elt])
        # A walrus in here binds in the function around; seen from within it is a closure variable.
        for inner in _walrus_names(node):
            scope.bound.discard(inner)
            scope.nonlocals.add(inner)
    else:
        scope = Scope("function", node)
        _Collector(scope, lazy_annotations).function(node)
    return scope


def _walrus_names(node: ast.AST) -> set[str]:
    names: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.NamedExpr):
            names.add(child.target.id)
        if not isinstance(child, ast.Lambda):
            names |= _walrus_names(child)
    return names


def child_frees(scope: Scope, node: ast.AST, visible: Iterable[str]) -> tuple[str, ...]:
    """Closure variables of the function `node` nested in `scope` (or in a comprehension of it)."""
    for child in scope.children.values():
        if child.node is node:
            return child.frees(visible)
        if child.kind == "comprehension":
            found = child_frees(child, node, visible)
            if found or node in child.children:
                return found
    return ()


def mangle(name: str, class_name: str | None) -> str:
    """Return `name` as Python mangles it within the class `class_name`."""
    if class_name is None or not name.startswith("__") or name.endswith("__") or "." in name:
        return name
    stripped = class_name.lstrip("_")
    return f"_{stripped}{name}" if stripped else name


class _Mangler(ast.NodeTransformer):
    _FIELDS = ("id", "attr", "arg", "name", "asname", "rest")

    def __init__(self, class_name: str) -> None:
        self.class_name = class_name

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, (ast.keyword, ast.alias)):
            for name in self._FIELDS:
                value = getattr(node, name, None)
                if isinstance(value, str):
                    setattr(node, name, mangle(value, self.class_name))
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            node.names = [mangle(name, self.class_name) for name in node.names]
        return super().generic_visit(node)

    def visit_alias(self, node: ast.alias) -> ast.AST:
        if node.asname is not None:
            node.asname = mangle(node.asname, self.class_name)
        elif mangle(node.name, self.class_name) != node.name:
            node.asname = mangle(node.name, self.class_name)
        return node

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.AST:
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        # The body belongs to the inner class, which Python mangles by its own name.
        node.name = mangle(node.name, self.class_name)
        node.bases = [self.visit(base) for base in node.bases]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        return node


def mangle_tree(node: FunctionNode, class_name: str | None) -> None:
    """Mangle all private names within `node`, in place."""
    if class_name is not None:
        _Mangler(class_name).visit(node)
