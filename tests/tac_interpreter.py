"""A concrete interpreter of three-address code, to compare the code with what Python does."""

from __future__ import annotations

import builtins
import importlib
import inspect
import operator
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from janus_mlir.capture.reading import code as tac
from janus_mlir.capture.reading.code import Code
from janus_mlir.capture.reading.normalise import compile_function
from janus_mlir.capture.reading.reader import FunctionSource, Unreadable, read_function

UNBOUND = object()


class Cell:
    """A variable that inner functions share."""

    def __init__(self, value: object = UNBOUND) -> None:
        self.value = value


class Stop(Exception):
    """The function was asked to stop at a statement."""

    def __init__(self, stmt: int, kind: str, frame: Frame) -> None:
        super().__init__(stmt, kind)
        self.stmt, self.kind, self.frame = stmt, kind, frame


class StopAtCall(Exception):
    """The function was asked to stop before a call."""

    def __init__(self, pc: int, frame: Frame) -> None:
        super().__init__(pc)
        self.pc, self.frame = pc, frame

    def call(self) -> Any:
        """Make the call, and return its result."""
        instr = self.frame.code.instrs[self.pc]
        assert isinstance(instr, tac.Call)
        self.frame.call(instr.dst, instr.fn, instr.args, instr.kwargs)
        return self.frame.read(instr.dst)


def _compare(op: str, a: Any, b: Any) -> Any:
    if op == "contains":
        return a in b
    if op == "not_contains":
        return a not in b
    return getattr(operator, op)(a, b)


class Frame:
    """One activation."""

    def __init__(
        self,
        code: Code,
        globals_: dict[str, Any],
        closure: Mapping[str, Any],
        variables: dict[str, Any],
        stop_at: int | None = None,
        stop_call: int | None = None,
    ) -> None:
        self.code, self.globals, self.closure = code, globals_, closure
        self.variables: dict[str, Any] = {}
        self.cells = {name: Cell() for name in code.cells}
        for name, value in variables.items():
            self.write(name, value)
        self.tries: list[int] = []
        self.handling: list[BaseException] = []
        self.exits: dict[str, Callable[..., Any]] = {}
        self.statements = 0
        self.stop_at = stop_at
        self.calls = 0
        self.stop_call = stop_call
        self.branches: dict[int, list[int]] = {}

    # -- variables

    def write(self, name: str, value: Any) -> None:
        if name in self.cells:
            self.cells[name].value = value
        else:
            self.variables[name] = value

    def read(self, name: str) -> Any:
        value = self.cells[name].value if name in self.cells else self.variables.get(name, UNBOUND)
        if value is UNBOUND:
            assert not name.startswith("%"), name
            kind = NameError if name in self.cells else UnboundLocalError
            raise kind(name)
        return value

    def cell_of(self, name: str) -> Any:
        return self.cells[name] if name in self.cells else self.closure[name]

    # -- running

    def run(self) -> Any:
        generator = self.steps()
        while True:
            try:
                next(generator)
            except StopIteration as stop:
                return stop.value
            raise AssertionError("yield in an ordinary function")

    def steps(self) -> Any:
        pc = 0
        while True:
            instr = self.code.instrs[pc]
            if not isinstance(instr, tac.ExitTry | tac.ExitWith):
                assert self.code.handlers[pc] == (self.tries[-1] if self.tries else None), (pc, self.tries)
            try:
                match instr:
                    case tac.Return(src):
                        value = self.read(src)
                        assert not self.tries and not self.handling
                        return value
                    case tac.Yield(src, dst):
                        sent = yield self.read(src)
                        if dst is not None:
                            self.write(dst, sent)
                        pc += 1
                    case _:
                        pc = self.step(instr, pc)
            except Stop:
                raise
            except BaseException as error:
                if not self.tries:
                    raise
                pc = self.tries.pop()
                depth = self.depth[pc]
                del self.handling[depth:]
                self.pending = error

    def items(self, items: Sequence[tuple[str, bool]]) -> list[Any]:
        result: list[Any] = []
        for name, starred in items:
            if starred:
                result.extend(self.read(name))
            else:
                result.append(self.read(name))
        return result

    def enter(self, handler: int) -> None:
        self.tries.append(handler)
        if not hasattr(self, "depth"):
            self.depth: dict[int, int] = {}
        self.depth[handler] = len(self.handling)

    def step(self, instr: tac.Instr, pc: int) -> int:
        read, write = self.read, self.write
        match instr:
            case tac.Const(dst, value):
                write(dst, value)
            case tac.Move(dst, src):
                write(dst, read(src))
            case tac.Delete(var):
                read(var)
                write(var, UNBOUND)
            case tac.LoadGlobal(dst, name):
                if name in self.globals:
                    write(dst, self.globals[name])
                elif hasattr(builtins, name):
                    write(dst, getattr(builtins, name))
                else:
                    raise NameError(name)
            case tac.StoreGlobal(name, src):
                self.globals[name] = read(src)
            case tac.LoadFree(dst, name):
                cell = self.closure[name]
                try:
                    value = cell.value if isinstance(cell, Cell) else cell.cell_contents
                except ValueError:
                    value = UNBOUND
                if value is UNBOUND:
                    raise NameError(name)
                write(dst, value)
            case tac.StoreFree(name, src):
                cell = self.closure[name]
                if isinstance(cell, Cell):
                    cell.value = read(src)
                else:
                    cell.cell_contents = read(src)
            case tac.Unary(dst, op, a):
                write(dst, getattr(operator, op)(read(a)))
            case tac.Binary(dst, op, a, b):
                write(dst, getattr(operator, op)(read(a), read(b)))
            case tac.Inplace(dst, op, a, b):
                write(dst, getattr(operator, "i" + op.rstrip("_"))(read(a), read(b)))
            case tac.Compare(dst, op, a, b):
                write(dst, _compare(op, read(a), read(b)))
            case tac.GetAttr(dst, obj, name):
                write(dst, getattr(read(obj), name))
            case tac.SetAttr(obj, name, src):
                value = read(src)
                setattr(read(obj), name, value)
            case tac.DelAttr(obj, name):
                delattr(read(obj), name)
            case tac.GetItem(dst, obj, index):
                write(dst, read(obj)[read(index)])
            case tac.SetItem(obj, index, src):
                value = read(src)
                read(obj)[read(index)] = value
            case tac.DelItem(obj, index):
                del read(obj)[read(index)]
            case tac.BuildTuple(dst, items):
                write(dst, tuple(self.items(items)))
            case tac.BuildList(dst, items):
                write(dst, self.items(items))
            case tac.BuildSet(dst, items):
                write(dst, set(self.items(items)))
            case tac.BuildDict(dst, pairs):
                mapping: dict[Any, Any] = {}
                for key, value in pairs:
                    if key is None:
                        mapping.update(read(value))
                    else:
                        mapping[read(key)] = read(value)
                write(dst, mapping)
            case tac.BuildSlice(dst, a, b, c):
                write(dst, slice(read(a), read(b), read(c)))
            case tac.FormatValue(dst, src, conversion, spec):
                value = read(src)
                if conversion is not None:
                    value = {"s": str, "r": repr, "a": ascii}[conversion](value)
                write(dst, format(value, "" if spec is None else read(spec)))
            case tac.BuildString(dst, parts):
                write(dst, "".join(map(read, parts)))
            case tac.Call(dst, fn, args, kwargs):
                if self.calls == self.stop_call:
                    raise StopAtCall(pc, self)
                self.calls += 1
                self.call(dst, fn, args, kwargs)
            case tac.UnpackSequence(dsts, src, star):
                self.unpack(dsts, read(src), star)
            case tac.GetIter(dst, src):
                write(dst, iter(read(src)))
            case tac.ForIter(dst, iterator, end, _, returned):
                try:
                    item = next(read(iterator))
                except StopIteration as stop:
                    if returned is not None:
                        write(returned, stop.value)
                    return end
                write(dst, item)
            case tac.ListAppend(target, item):
                read(target).append(read(item))
            case tac.SetAdd(target, item):
                read(target).add(read(item))
            case tac.DictStore(target, key, item):
                read(target)[read(key)] = read(item)
            case tac.Length(dst, src):
                write(dst, len(read(src)))
            case tac.MatchSequence(dst, subject):
                write(dst, _matches(read(subject), "[*_]"))
            case tac.MatchMapping(dst, subject):
                write(dst, _matches(read(subject), "{}"))
            case tac.MatchKeys(dst, subject, keys):
                mapping = read(subject)
                missing = object()
                values = [mapping.get(read(key), missing) for key in keys]
                write(dst, None if missing in values else tuple(values))
            case tac.MatchClass(dst, subject, cls, count, names):
                write(dst, self.match_class(read(subject), read(cls), count, names))
            case tac.Jump(target):
                return target
            case tac.Branch(cond, then, orelse, number):
                taken = bool(read(cond))
                self.branches.setdefault(number, [0, 0])[not taken] += 1
                return then if taken else orelse
            case tac.Raise(exc, cause):
                self.raise_(exc, cause)
            case tac.StatementStart(kind):
                if self.statements == self.stop_at:
                    raise Stop(instr.stmt, kind, self)
                self.statements += 1
            case tac.MakeFunction(dst, source, defaults, kwdefaults, annotations, name):
                write(dst, self.function(source, defaults, kwdefaults, annotations, name))
            case tac.MakeClass(dst, name, bases, body, _):
                cells = tuple(self.cell_of(free) for free in body.co_freevars)
                made = types.FunctionType(body, self.globals, name, None, cells)
                write(dst, builtins.__build_class__(made, name, *map(read, bases)))
            case tac.MakeGenerator(dst, source, iterator):
                code = compile_function(source)
                closure = {name: self.cell_of(name) for name in code.frees}
                write(dst, Frame(code, self.globals, closure, {".0": read(iterator)}).steps())
            case tac.Import(dst, module, name, _, leaf):
                found = importlib.import_module(module)
                if name is not None:
                    found = getattr(found, name)
                elif not leaf:
                    found = sys.modules[module.partition(".")[0]]
                write(dst, found)
            case tac.EnterTry(handler):
                self.enter(handler)
            case tac.ExitTry():
                self.tries.pop()
            case tac.EnterWith(dst, cm, handler):
                manager = read(cm)
                exit_ = type(manager).__exit__
                self.exits[cm] = lambda *args: exit_(manager, *args)
                write(dst, type(manager).__enter__(manager))
                self.enter(handler)
            case tac.ExitWith(cm):
                self.tries.pop()
                assert self.code.handlers[pc] == (self.tries[-1] if self.tries else None)
                self.exits[cm](None, None, None)
            case tac.CatchException(dst):
                self.handling.append(self.pending)
                write(dst, self.pending)
            case tac.ExceptMatch(dst, exc, cls):
                write(dst, isinstance(read(exc), read(cls)))
            case tac.EndHandler(exc):
                assert self.handling.pop() is read(exc)
            case tac.Reraise(exc):
                assert self.handling[-1] is read(exc)
                raise self.handling.pop()
            case tac.ExitWithException(dst, cm, exc):
                error = read(exc)
                write(dst, self.exits[cm](type(error), error, error.__traceback__))
            case tac.Unsupported(reason, message):
                raise NotImplementedError(reason, message)
            case _:
                raise AssertionError(instr)
        return pc + 1

    def call(
        self,
        dst: str,
        fn: str,
        args: Sequence[tuple[str, bool]],
        kwargs: Sequence[tuple[str | None, str]],
    ) -> None:
        function = self.read(fn)
        arguments = self.items(args)
        keywords: dict[str, Any] = {}
        for name, value in kwargs:
            if name is not None:
                keywords[name] = self.read(value)
            else:
                for key, item in self.read(value).items():
                    if key in keywords:
                        raise TypeError(f"multiple values for keyword argument {key!r}")
                    keywords[key] = item
        if function is super and not arguments:
            arguments = [self.closure["__class__"].cell_contents, self.read(next(iter(self.code.params)))]
        self.write(dst, function(*arguments, **keywords))

    def unpack(self, dsts: Sequence[str], value: Any, star: int | None) -> None:
        if star is None:
            values = []
            iterator = iter(value)
            for item in iterator:
                values.append(item)
                if len(values) > len(dsts):
                    break
            if len(values) != len(dsts):
                raise ValueError("unpack")
        else:
            items = list(value)
            after = len(dsts) - star - 1
            if len(items) < star + after:
                raise ValueError("unpack")
            end = len(items) - after
            values = [*items[:star], items[star:end], *items[end:]]
        for dst, item in zip(dsts, values, strict=True):
            self.write(dst, item)

    def match_class(self, subject: Any, cls: Any, count: int, names: Sequence[str]) -> tuple[Any, ...] | None:
        if not isinstance(cls, type):
            raise TypeError("called match pattern must be a class")
        if not isinstance(subject, cls):
            return None
        values: list[Any] = []
        if count:
            if cls in (bool, bytearray, bytes, dict, float, frozenset, int, list, set, str, tuple):
                values.append(subject)
            else:
                values += [getattr(subject, name) for name in cls.__match_args__[:count]]
        for name in names:
            if not hasattr(subject, name):
                return None
            values.append(getattr(subject, name))
        return tuple(values)

    def raise_(self, exc: str | None, cause: str | None) -> None:
        if exc is None:
            if self.handling:
                raise self.handling[-1]
            raise RuntimeError("No active exception to reraise")
        error = self.read(exc)
        if cause is not None:
            raise error from self.read(cause)
        raise error

    def function(
        self,
        source: FunctionSource,
        defaults: Sequence[str],
        kwdefaults: Sequence[tuple[str, str]],
        annotations: Sequence[tuple[str, str]],
        name: str,
    ) -> Callable[..., Any]:
        closure = {free: self.cell_of(free) for free in source.frees}
        default_values = tuple(self.read(value) for value in defaults)
        keyword_values = {key: self.read(value) for key, value in kwdefaults}
        return interpreted(source, self.globals, closure, default_values, keyword_values)


def _matches(value: Any, pattern: str) -> bool:
    if pattern == "{}":
        match value:
            case {}:
                return True
        return False
    match value:
        case [*_]:
            return True
    return False


def interpreted(
    source: FunctionSource,
    globals_: dict[str, Any],
    closure: Mapping[str, Any],
    defaults: Sequence[Any] = (),
    kwdefaults: Mapping[str, Any] | None = None,
    stop_at: int | None = None,
) -> Callable[..., Any]:
    """Return a function that runs the three-address code of `source`."""
    code = compile_function(source)
    params = code.params
    positional = [*params.posonly, *params.pos_or_kw]
    missing = len(positional) - len(defaults)
    parameters = []
    for index, name in enumerate(positional):
        kind = (
            inspect.Parameter.POSITIONAL_ONLY
            if index < len(params.posonly)
            else inspect.Parameter.POSITIONAL_OR_KEYWORD
        )
        default = defaults[index - missing] if index >= missing else inspect.Parameter.empty
        parameters.append(inspect.Parameter(name, kind, default=default))
    if params.vararg is not None:
        parameters.append(inspect.Parameter(params.vararg, inspect.Parameter.VAR_POSITIONAL))
    for name in params.kwonly:
        default = (kwdefaults or {}).get(name, inspect.Parameter.empty)
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default))
    if params.kwarg is not None:
        parameters.append(inspect.Parameter(params.kwarg, inspect.Parameter.VAR_KEYWORD))
    signature = inspect.Signature(parameters)

    def run(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        frame = Frame(code, globals_, closure, dict(bound.arguments), stop_at)
        return frame.run()

    run.__name__, run.__qualname__ = source.name, source.qualname
    return run


def interpret(fn: types.FunctionType, stop_at: int | None = None) -> Callable[..., Any]:
    """Return a function that behaves as `fn` but runs its three-address code."""
    source = read_function(fn)
    assert not isinstance(source, Unreadable), source
    cells = dict(zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True))
    return interpreted(source, fn.__globals__, cells, fn.__defaults__ or (), fn.__kwdefaults__, stop_at)


class Log:
    """Logs what is evaluated; also an object with an attribute for patterns."""

    zero = 0

    def __init__(self) -> None:
        self.entries: list[str] = []

    def __call__(self, tag: object, value: object) -> object:
        self.entries.append(repr(tag))
        assert len(self.entries) < 1000
        return value


def observe(fn: Callable[..., Any], *args: Any) -> tuple[object, list[str]]:
    """Call `fn`; return what came of it, and the log."""
    log = Log()
    try:
        result = fn(log, *args)
    except Exception as error:
        cause = error.__cause__
        outcome: object = (type(error).__name__, type(cause).__name__)
        if isinstance(error, ValueError | KeyError | AssertionError):
            outcome = (outcome, error.args)
    else:
        outcome = ("returned", repr(result))
    return outcome, log.entries
