"""Expressions to three-address code, in exactly Python's order of evaluation."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from janus_mlir.capture.reading.code import (
    Binary,
    BuildDict,
    BuildList,
    BuildSet,
    BuildSlice,
    BuildString,
    BuildTuple,
    Call,
    Compare,
    FormatValue,
    GetAttr,
    GetItem,
    MakeClass,
    MakeFunction,
    Move,
    Unary,
    Var,
    Yield,
)
from janus_mlir.capture.reading.normalise_base import Emitter, Label
from janus_mlir.capture.reading.scopes import annotations_of, child_frees

__all__ = ["BINARY_OPERATORS", "ExpressionCompiler"]

BINARY_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.MatMult: "matmul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
    ast.BitAnd: "and_",
    ast.BitOr: "or_",
    ast.BitXor: "xor",
}

_UNARY_OPERATORS: dict[type[ast.unaryop], str] = {
    ast.USub: "neg",
    ast.UAdd: "pos",
    ast.Invert: "invert",
    ast.Not: "not_",
}

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Is: "is_",
    ast.IsNot: "is_not",
    ast.In: "contains",
    ast.NotIn: "not_contains",
}

_CONVERSIONS = {-1: None, 115: "s", 114: "r", 97: "a"}


def _constant_tuple(node: ast.expr) -> tuple[object, ...] | None:
    """Return the value of a tuple of literals: one object for the life of the code, as in Python."""
    if not isinstance(node, ast.Tuple):
        return None
    values: list[object] = []
    for element in node.elts:
        if isinstance(element, ast.Constant):
            values.append(element.value)
            continue
        inner = _constant_tuple(element)
        negative = _negative_number(element)
        if inner is not None:
            values.append(inner)
        elif negative is not None:
            values.append(negative)
        else:
            return None
    return tuple(values)


def _negative_number(node: ast.expr) -> int | float | complex | None:
    match node:
        case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() | complex() as value)) if (
            type(value) is not bool
        ):
            return -value
    return None


class ExpressionCompiler(Emitter):
    """Compiles expressions."""

    # ---- operands

    def _is_inert(self, node: ast.expr) -> bool:
        """Tell whether evaluating `node` can neither be observed nor change a local."""
        if isinstance(node, ast.Name):
            return self.resolve(node.id) is not None and node.id not in self.shared
        return isinstance(node, ast.Constant)

    def operand(self, node: ast.expr, later: Sequence[ast.expr | None]) -> Var:
        """Return a variable with the value that `node` has now, before `later` is evaluated."""
        value = self.expr(node)
        if not value.startswith("%") and not all(x is None or self._is_inert(x) for x in later):
            value = self.values[node] = self.put(Move, node, value)
        return value

    def operands(self, nodes: Sequence[ast.expr]) -> list[Var]:
        """Evaluate several expressions in order."""
        return [self.operand(node, nodes[index + 1 :]) for index, node in enumerate(nodes)]

    def items(
        self, node: ast.AST, nodes: Sequence[ast.expr], later: Sequence[ast.expr] = ()
    ) -> tuple[tuple[Var, bool], ...]:
        """Evaluate elements that may be starred; a starred one is iterated before the next is evaluated."""
        result: list[tuple[Var, bool]] = []
        for index, element in enumerate(nodes):
            following = [*nodes[index + 1 :], *later]
            if isinstance(element, ast.Starred):
                value = self.operand(element.value, following)
                # A star that stands alone is iterated by the call itself, after its keyword arguments.
                if len(nodes) > 1 and not all(map(self._is_inert, following)):
                    value = self.put(BuildTuple, element, ((value, True),))
                result.append((value, True))
            else:
                result.append((self.operand(element, following), False))
        return tuple(result)

    # ---- values

    def expr(self, node: ast.expr) -> Var:
        """Evaluate an expression; a local stands for itself, everything else comes in a temporary."""
        value = self.values[node] = self._expr(node)
        return value

    def _expr(self, node: ast.expr) -> Var:
        match node:
            case ast.Constant(value):
                return self.const(node, value)
            case ast.Name(name):
                return self.load_name(node, name)
            case ast.UnaryOp(operator, operand):
                negative = _negative_number(node)
                if negative is not None:
                    return self.const(node, negative)
                return self.put(Unary, node, _UNARY_OPERATORS[type(operator)], self.expr(operand))
            case ast.BinOp(left, operator, right):
                a, b = self.operands([left, right])
                return self.put(Binary, node, BINARY_OPERATORS[type(operator)], a, b)
            case ast.Compare():
                return self._comparison(node)
            case ast.BoolOp(operator, values):
                return self._boolean(node, isinstance(operator, ast.And), values)
            case ast.IfExp():
                return self._conditional(node)
            case ast.NamedExpr(target, value):
                result = self.expr(value)
                if not result.startswith("%"):
                    result = self.put(Move, node, result)
                self.store_name(node, target.id, result, walrus=True)
                return result
            case ast.Attribute(value, name):
                return self.put(GetAttr, node, self.expr(value), name)
            case ast.Subscript(value, index):
                obj = self.operand(value, [index])
                return self.put(GetItem, node, obj, self.expr(index))
            case ast.Slice(lower, upper, step):
                return self._slice(node, [lower, upper, step])
            case ast.Tuple(elements):
                constant = _constant_tuple(node)
                if constant is not None:
                    return self.const(node, constant)
                return self.put(BuildTuple, node, self.items(node, elements))
            case ast.List(elements):
                return self.put(BuildList, node, self.items(node, elements))
            case ast.Set(elements):
                return self.put(BuildSet, node, self.items(node, elements))
            case ast.Dict():
                return self._dict(node)
            case ast.Call():
                return self._call(node)
            case ast.JoinedStr(values):
                return self.put(BuildString, node, tuple(self._part(part) for part in values))
            case ast.FormattedValue():
                return self._part(node)
            case ast.Lambda():
                return self._lambda(node)
            case ast.ListComp() | ast.SetComp() | ast.DictComp():
                return self.comprehension(node)
            case ast.GeneratorExp():
                return self.generator(node)
            case ast.Yield(value) if isinstance(self.source.node, ast.FunctionDef):
                source = self.const(node, None) if value is None else self.expr(value)
                sent = self.temporary()
                self.emit(Yield, node, source, sent)
                return sent
            case ast.YieldFrom(value) if isinstance(self.source.node, ast.FunctionDef):
                return self.delegate(node, value)
            case ast.Yield() | ast.YieldFrom() | ast.Await():
                raise self.unsupported("JN203", type(node).__name__.lower())
            case _:
                raise self.unsupported("JN209", f"expression {type(node).__name__}")

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp) -> Var:
        """Evaluate a comprehension; defined with the loops."""
        raise NotImplementedError

    def delegate(self, node: ast.AST, source: ast.expr) -> Var:
        """Evaluate ``yield from``; defined with the loops."""
        raise NotImplementedError

    def generator(self, node: ast.GeneratorExp) -> Var:
        """Evaluate a generator expression; defined with the loops."""
        raise NotImplementedError

    def _slice(self, node: ast.expr, parts: list[ast.expr | None]) -> Var:
        values: list[Var] = []
        for index, part in enumerate(parts):
            if part is None:
                values.append(self.const(node, None))
            else:
                values.append(self.operand(part, parts[index + 1 :]))
        return self.put(BuildSlice, node, *values)

    def _dict(self, node: ast.Dict) -> Var:
        items: list[tuple[Var | None, Var]] = []
        flat: list[ast.expr] = []
        for key, value in zip(node.keys, node.values, strict=True):
            flat += [value] if key is None else [key, value]
        position = 0
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                position += 1
                mapping = self.operand(value, flat[position:])
                if not all(map(self._is_inert, flat[position:])):
                    # Python merges the mapping before it evaluates what follows.
                    items.append((None, mapping))
                    merged = self.put(BuildDict, value, tuple(items))
                    items = [(None, merged)]
                else:
                    items.append((None, mapping))
            else:
                key_variable = self.operand(key, flat[position + 1 :])
                position += 2
                items.append((key_variable, self.operand(value, flat[position:])))
        return self.put(BuildDict, node, tuple(items))

    def _part(self, node: ast.expr) -> Var:
        if not isinstance(node, ast.FormattedValue):
            return self.expr(node)
        spec_node = node.format_spec
        value = self.operand(node.value, [spec_node])
        spec = None if spec_node is None else self.expr(spec_node)
        return self.put(FormatValue, node, value, _CONVERSIONS[node.conversion], spec)

    # ---- calls and functions

    def _call(self, node: ast.Call) -> Var:
        values = [keyword.value for keyword in node.keywords]
        fn = self.operand(node.func, [*node.args, *values])
        args = self.items(node, node.args, values)
        kwargs: list[tuple[str | None, Var]] = []
        for index, keyword in enumerate(node.keywords):
            later = values[index + 1 :]
            value = self.operand(keyword.value, later)
            if keyword.arg is None and not all(map(self._is_inert, later)):
                value = self.put(BuildDict, keyword.value, ((None, value),))
            kwargs.append((keyword.arg, value))
        return self.put(Call, node, fn, args, tuple(kwargs))

    def defaults(
        self, args: ast.arguments, later: Sequence[ast.expr]
    ) -> tuple[tuple[Var, ...], tuple[tuple[str, Var], ...]]:
        """Evaluate the default values of a nested function."""
        keyword = [
            (a.arg, d) for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True) if d is not None
        ]
        nodes = [*args.defaults, *(default for _, default in keyword)]
        variables = [self.operand(n, [*nodes[i + 1 :], *later]) for i, n in enumerate(nodes)]
        count = len(args.defaults)
        named = tuple((name, variables[count + i]) for i, (name, _) in enumerate(keyword))
        return tuple(variables[:count]), named

    def inner_frees(self, node: ast.AST) -> tuple[str, ...]:
        """Return the closure variables of a nested function, lambda or generator expression."""
        if len(self.scopes) > 1 and any(scope.captures_own() for scope in self.scopes[1:]):
            raise self.unsupported("JN206", "the variable of a comprehension is captured")
        return child_frees(self.scope, node, self.scope.bound | set(self.source.frees))

    def _lambda(self, node: ast.Lambda) -> Var:
        frees = self.inner_frees(node)
        defaults, kwdefaults = self.defaults(node.args, ())
        inner = self.source.inner(node, frees)
        return self.put(MakeFunction, node, inner, defaults, kwdefaults, (), inner.name)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Var:
        """Evaluate decorators, defaults and annotations of a nested function, make it and decorate it."""
        frees = self.inner_frees(node)
        annotated = annotations_of(node)
        decorator_later = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
        annotation_nodes = [] if self.source.lazy_annotations else [a for _, a in annotated]
        decorators = [
            self.operand(d, [*node.decorator_list[i + 1 :], *decorator_later, *annotation_nodes])
            for i, d in enumerate(node.decorator_list)
        ]
        defaults, kwdefaults = self.defaults(node.args, annotation_nodes)
        if self.source.lazy_annotations:
            values = [self.const(a, ast.unparse(a)) for _, a in annotated]
        else:
            values = self.operands(annotation_nodes)
        annotations = tuple((name, value) for (name, _), value in zip(annotated, values, strict=True))
        inner = self.source.inner(node, frees)
        result = self.put(MakeFunction, node, inner, defaults, kwdefaults, annotations, inner.name)
        for decorator_node, decorator in zip(
            reversed(node.decorator_list), reversed(decorators), strict=True
        ):
            result = self.put(Call, decorator_node, decorator, ((result, False),), ())
        return result

    def class_statement(self, node: ast.ClassDef) -> Var:
        """Evaluate decorators and bases of a nested class, make it and decorate it."""
        from janus_mlir.capture.reading.reader import class_code

        code = class_code(self.source, node)
        if code is None or node.keywords or not all(map(_is_definition, node.body)):
            raise self.unsupported("JN201", f"class {node.name}")
        frees = self.inner_frees(node)
        decorators = [
            self.operand(d, [*node.decorator_list[i + 1 :], *node.bases])
            for i, d in enumerate(node.decorator_list)
        ]
        bases = tuple(self.operands(node.bases))
        result = self.put(MakeClass, node, node.name, bases, code, frees)
        for decorator_node, decorator in zip(
            reversed(node.decorator_list), reversed(decorators), strict=True
        ):
            result = self.put(Call, decorator_node, decorator, ((result, False),), ())
        return result

    # ---- conditions

    def _boolean(self, node: ast.expr, is_and: bool, values: list[ast.expr]) -> Var:
        result = self.temporary()
        end = self.label()
        for value in values[:-1]:
            self.move_result(value, result, self.expr(value))
            following = self.label()
            self.branch(value, result, *((following, end) if is_and else (end, following)), "boolop")
            self.place(following)
        self.move(values[-1], result, self.expr(values[-1]))
        self.place(end)
        return result

    def _conditional(self, node: ast.IfExp) -> Var:
        result = self.temporary()
        then, orelse, end = self.label(), self.label(), self.label()
        self.condition(node.test, then, orelse, "ifexp")
        self.place(then)
        self.move(node.body, result, self.expr(node.body))
        self.jump(node, end)
        self.place(orelse)
        self.move(node.orelse, result, self.expr(node.orelse))
        self.place(end)
        return result

    def _comparison(self, node: ast.Compare) -> Var:
        if len(node.ops) == 1:
            a, b = self.operands([node.left, node.comparators[0]])
            return self.put(Compare, node, _COMPARISONS[type(node.ops[0])], a, b)
        result = self.temporary()
        end = self.label()
        left = self.operand(node.left, node.comparators)
        last = len(node.ops) - 1
        for index, (operator, right_node) in enumerate(zip(node.ops, node.comparators, strict=True)):
            right = self.operand(right_node, node.comparators[index + 1 :])
            self.emit(Compare, node, result, _COMPARISONS[type(operator)], left, right)
            if index < last:
                following = self.label()
                self.branch(right_node, result, following, end, "compare")
                self.place(following)
            left = right
        self.place(end)
        return result

    def condition(self, node: ast.expr, then: Label, orelse: Label, kind: str) -> None:
        """Jump to `then` or `orelse` by the truth of `node`, tested once at each leaf, as Python does."""
        match node:
            case ast.UnaryOp(ast.Not(), operand):
                self.condition(operand, orelse, then, kind)
            case ast.BoolOp(operator, values):
                is_and = isinstance(operator, ast.And)
                for value in values[:-1]:
                    following = self.label()
                    targets = (following, orelse) if is_and else (then, following)
                    self.condition(value, *targets, "boolop")
                    self.place(following)
                self.condition(values[-1], then, orelse, "boolop")
            case ast.IfExp(test, body, alternative):
                body_label, alternative_label = self.label(), self.label()
                self.condition(test, body_label, alternative_label, "ifexp")
                self.place(body_label)
                self.condition(body, then, orelse, kind)
                self.place(alternative_label)
                self.condition(alternative, then, orelse, kind)
            case ast.Compare(_, operators, comparators) if len(operators) > 1:
                left = self.operand(node.left, comparators)
                last = len(operators) - 1
                for index, (comparison, right_node) in enumerate(zip(operators, comparators, strict=True)):
                    right = self.operand(right_node, comparators[index + 1 :])
                    result = self.put(Compare, node, _COMPARISONS[type(comparison)], left, right)
                    if index < last:
                        following = self.label()
                        self.branch(right_node, result, following, orelse, "compare")
                        self.place(following)
                    else:
                        self.branch(node, result, then, orelse, kind)
                    left = right
            case ast.Constant(value):
                self.jump(node, then if value else orelse)
            case ast.Name("__debug__"):
                self.jump(node, then if __debug__ else orelse)
            case _:
                self.branch(node, self.expr(node), then, orelse, kind)


#: Expressions that a class body may hold, of which the captured program need not see the evaluation.
_INERT = (
    ast.Constant, ast.Name, ast.Attribute, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp, ast.BinOp, ast.Subscript,
    ast.Slice, ast.expr_context, ast.operator, ast.unaryop, ast.keyword,
)  # fmt: skip
#: Functions that a class body may call.
_CALLED = ("field", "property", "auto", "staticmethod", "classmethod")


def _is_definition(node: ast.stmt) -> bool:
    """Whether a statement of a class body defines a function or a constant."""
    match node:
        case ast.FunctionDef(decorator_list=decorators):
            return all(map(_is_inert, decorators))
        case ast.Assign(targets=targets, value=value):
            return all(isinstance(t, ast.Name) for t in targets) and _is_inert(value)
        case ast.AnnAssign(target=ast.Name(), value=value):
            return value is None or _is_inert(value)
        case ast.Expr(value=ast.Constant()) | ast.Pass():
            return True
    return False


def _is_inert(node: ast.expr) -> bool:
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            called = (
                part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", None)
            )
            if called not in _CALLED:
                return False
        elif not isinstance(part, (*_INERT, ast.Lambda, ast.arguments, ast.arg)):
            return False
    return True
