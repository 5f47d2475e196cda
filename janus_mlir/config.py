"""Every option of Janus, in one table.

An option is read as an attribute: ``config.warmup``. Its value is, in this order, that of the innermost
``with config(...)`` of the current thread or task, that of ``config.update(...)``, that of the environment
variable ``JANUS_<NAME>`` when Janus was imported, and the default.
"""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

__all__ = ["CHANNELS", "Config", "Options", "config"]

#: Log channel -> what it reports.
CHANNELS = {
    "capture": "what is captured, and what is not and why",
    "guards": "which entry guards failed, with the values",
    "deopts": "where compiled code was left",
    "compile": "what was compiled, and how long each phase took",
    "cache": "what was found in and written to the folder of compiled code",
}


def _flag(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered in ("1", "true", "yes", "on"):
        return True
    if lowered in ("", "0", "false", "no", "off"):
        return False
    raise ValueError(f"expected a flag such as 0 or 1, not {text!r}")


def _path(text: str) -> str | None:
    return str(Path(text).expanduser()) if text.strip() else None


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _name(text: str) -> str | None:
    return text.strip() or None


def _choice(*names: str | None) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if value not in names:
            raise ValueError(f"expected one of {', '.join(map(repr, names))}, not {value!r}")

    return check


def _at_least(low: int) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise ValueError(f"expected an int of at least {low}, not {value!r}")

    return check


def _boolean(value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"expected a bool, not {value!r}")


def _text_or_none(value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"expected a string or None, not {value!r}")


def _channels(value: Any) -> None:
    unknown = sorted(set(value) - set(CHANNELS) - {"all"})
    if unknown:
        raise ValueError(f"unknown log channel {unknown[0]!r}; there are {', '.join(CHANNELS)} and all")


def _option(
    default: Any,
    parse: Callable[[str], Any],
    check: Callable[[Any], None],
    doc: str,
    *,
    process: bool = False,  # whether it cannot differ between threads
) -> Any:
    return field(default=default, metadata={"parse": parse, "check": check, "doc": doc, "process": process})


@dataclass(frozen=True, slots=True)
class Options:
    """The values of all options. The metadata of each field is its documentation."""

    log: frozenset[str] = _option(
        frozenset(),
        _names,
        _channels,
        "Channels whose messages go to stderr: guards, deopts, compile, capture, cache, all.",
    )
    dump_ir: str | None = _option(
        None, _path, _text_or_none, "Folder for the IR of every compiled function, one file for each phase."
    )
    disable: bool = _option(False, _flag, _boolean, "Leave every function in Python.")
    cache_dir: str | None = _option(
        None, _path, _text_or_none, "Folder where compiled code is kept between processes."
    )
    stress: str | None = _option(
        None,
        _name,
        _choice(None, "deopt"),
        "'deopt' makes each guard fail in turn although its condition holds.",
    )
    warmup: int = _option(
        3, int, _at_least(0), "Calls that run in Python, profiled, before a function is compiled."
    )
    max_versions: int = _option(8, int, _at_least(1), "Compiled versions that one function holds at once.")
    max_deopts: int = _option(
        16,
        int,
        _at_least(1),
        "Failures of one guard after which its assumption is dropped or the function left alone.",
    )
    unroll_limit: int = _option(
        64, int, _at_least(0), "Most iterations of a loop over known things that are unrolled."
    )
    inline_depth: int = _option(
        48, int, _at_least(0), "Deepest nesting of calls that are captured into their caller."
    )
    max_steps: int = _option(
        60_000,
        int,
        _at_least(1),
        "Most instructions that one capture executes, unrolled and inlined ones included.",
    )
    opt_level: int = _option(3, int, _at_least(0), "LLVM's optimisation level, 0 to 3.")
    num_threads: int = _option(
        0,
        int,
        _at_least(0),
        "Threads that large array operations share, 0 for one per core. Holds for the whole process.",
        process=True,
    )
    target: str = _option("cpu", str.strip, _choice("cpu", "cuda"), "Where compiled code runs.")
    strict: bool = _option(
        False, _flag, _boolean, "Raise CaptureError where a function would leave the compiled path."
    )
    unguarded: bool = _option(
        False,
        _flag,
        _boolean,
        "Compile guards away, to measure what they cost. Results are wrong wherever an assumption fails.",
    )
    debug: bool = _option(
        False, _flag, _boolean, "Let internal errors through instead of falling back to Python."
    )


_FIELDS = {f.name: f for f in fields(Options)}


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` in the types of the options; raise where a name or a value is not one."""
    result = {}
    for name, value in values.items():
        if name not in _FIELDS:
            raise AttributeError(f"there is no option {name!r}; options are {', '.join(_FIELDS)}")
        metadata = _FIELDS[name].metadata
        if name == "log":
            value = _names(value) if isinstance(value, str) else frozenset(value)
        elif isinstance(value, os.PathLike):
            value = os.fspath(value)
        try:
            metadata["check"](value)
        except ValueError as error:
            raise ValueError(f"option {name}: {error}") from None
        result[name] = value
    return result


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values = {}
    for name, option in _FIELDS.items():
        text = environment.get(f"JANUS_{name.upper()}")
        if text is None:
            continue
        try:
            values[name] = option.metadata["parse"](text)
            option.metadata["check"](values[name])
        except ValueError as error:
            raise ValueError(f"environment variable JANUS_{name.upper()}: {error}") from None
    return values


class Config:
    """The options in force. See the module for which value wins."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._lock = threading.Lock()
        self._base = Options(**_from_environment(os.environ if environment is None else environment))
        self._overrides: ContextVar[dict[str, Any] | None] = ContextVar("janus_config", default=None)
        # Blocks of any thread that set `disable`, and who wants to know what holds for the process.
        self._disabling = 0
        self._watchers: list[Callable[[Options], None]] = []

    def __getattr__(self, name: str) -> Any:
        # Reached for options only: the instance's own attributes are found before.
        if name.startswith("_"):
            raise AttributeError(name)
        overrides = self._overrides.get()
        if overrides is not None and name in overrides:
            return overrides[name]
        try:
            return getattr(self._base, name)
        except AttributeError:
            raise AttributeError(f"there is no option {name!r}; options are {', '.join(_FIELDS)}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            self.update(**{name: value})

    def __dir__(self) -> list[str]:
        return sorted([*_FIELDS, "options", "update", "watch"])

    def options(self) -> Options:
        """Return the values in force for the current thread."""
        return dataclasses.replace(self._base, **(self._overrides.get() or {}))

    def update(self, **values: Any) -> None:
        """Set options for the whole process."""
        checked = _checked(values)
        with self._lock:
            self._base = dataclasses.replace(self._base, **checked)
        self._tell()

    def watch(self, watcher: Callable[[Options], None]) -> None:
        """Have `watcher` told the options of the process, now and whenever they may have changed.

        ``disable`` is on if it is for any thread. Native code does not read options; this is how it learns of them.
        """
        self._watchers.append(watcher)
        self._tell()

    def _tell(self) -> None:
        options = dataclasses.replace(self._base, disable=self._base.disable or self._disabling > 0)
        for watcher in self._watchers:
            watcher(options)

    @contextmanager
    def __call__(self, **values: Any) -> Iterator[Config]:
        """Set options for the current thread or task within a ``with`` statement."""
        checked = _checked(values)
        for name in checked:
            if _FIELDS[name].metadata["process"]:
                raise ValueError(f"option {name}: holds for the whole process; set it by update()")
        token = self._overrides.set({**(self._overrides.get() or {}), **checked})
        disables = int(bool(checked.get("disable")))
        self._count(disables)
        try:
            yield self
        finally:
            self._overrides.reset(token)
            self._count(-disables)

    def _count(self, disables: int) -> None:
        if disables:
            with self._lock:
                self._disabling += disables
            self._tell()

    def __repr__(self) -> str:
        values = self.options()
        return "\n".join(["janus.config:", *(f"  {name} = {getattr(values, name)!r}" for name in _FIELDS)])


config = Config()
