"""Where a value from outside the captured function comes from.

A source is a path from the call's arguments, the function's globals or its closure to a live
object. It yields the way to fetch the object again, natively (``runtime`` guard program) and in
Python (``fetch``), the expression a person would write for it, and so the text of a guard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CellType
from typing import Any


@dataclass(frozen=True, slots=True)
class Source:
    """Base class of all sources; compared by value."""

    @property
    def text(self) -> str:
        """The expression that reaches the object, such as ``model.layers[0].w``."""
        raise NotImplementedError

    def fetch(self, arguments: Sequence[Any]) -> Any:
        """Reach the live object, given the bound arguments of a call."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Argument(Source):
    """A parameter of the function, by slot."""

    index: int
    name: str

    @property
    def text(self) -> str:
        return self.name

    def fetch(self, arguments: Sequence[Any]) -> Any:
        return arguments[self.index]


@dataclass(frozen=True, slots=True)
class Pinned(Source):
    """An object that the compiled version holds on to: the function itself, a module, a namespace."""

    name: str
    identity: int
    holder: tuple[Any, ...]

    def __hash__(self) -> int:
        return hash((self.name, self.identity))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pinned) and other.identity == self.identity

    @property
    def text(self) -> str:
        return self.name

    @property
    def object(self) -> Any:
        return self.holder[0]

    def fetch(self, arguments: Sequence[Any]) -> Any:
        return self.holder[0]


def pinned(name: str, obj: object) -> Pinned:
    """Source of an object that is held by the version itself."""
    return Pinned(name, id(obj), (obj,))


@dataclass(frozen=True, slots=True)
class Global(Source):
    """A name in a module's namespace (a dict held by the version)."""

    namespace: Pinned
    name: str

    @property
    def text(self) -> str:
        return self.name

    def fetch(self, arguments: Sequence[Any]) -> Any:
        return self.namespace.object[self.name]


@dataclass(frozen=True, slots=True)
class Cell(Source):
    """A closure variable of a function held by the version."""

    cell: Pinned
    name: str

    @property
    def text(self) -> str:
        return self.name

    def fetch(self, arguments: Sequence[Any]) -> Any:
        cell: CellType = self.cell.object
        return cell.cell_contents


@dataclass(frozen=True, slots=True)
class CellOf(Source):
    """A closure variable of a function object that is itself fetched."""

    base: Source
    index: int
    name: str

    @property
    def text(self) -> str:
        return self.name

    def fetch(self, arguments: Sequence[Any]) -> Any:
        return self.base.fetch(arguments).__closure__[self.index].cell_contents


@dataclass(frozen=True, slots=True)
class Attribute(Source):
    """An attribute, fetched by ordinary attribute access."""

    base: Source
    name: str

    @property
    def text(self) -> str:
        return f"{self.base.text}.{self.name}"

    def fetch(self, arguments: Sequence[Any]) -> Any:
        return getattr(self.base.fetch(arguments), self.name)


@dataclass(frozen=True, slots=True)
class HasAttribute(Source):
    """Whether an object has an attribute."""

    base: Source
    name: str

    @property
    def text(self) -> str:
        return f"hasattr({self.base.text}, {self.name!r})"

    def fetch(self, arguments: Sequence[Any]) -> Any:
        return hasattr(self.base.fetch(arguments), self.name)


@dataclass(frozen=True, slots=True)
class HasKey(Source):
    """Whether a dict has a key."""

    base: Source
    key: Any

    @property
    def text(self) -> str:
        return f"{self.key!r} in {self.base.text}"

    def fetch(self, arguments: Sequence[Any]) -> Any:
        return self.key in self.base.fetch(arguments)


@dataclass(frozen=True, slots=True)
class Index(Source):
    """An item of a list or tuple."""

    base: Source
    index: int

    @property
    def text(self) -> str:
        return f"{self.base.text}[{self.index}]"

    def fetch(self, arguments: Sequence[Any]) -> Any:
        return self.base.fetch(arguments)[self.index]


@dataclass(frozen=True, slots=True)
class Key(Source):
    """A value of a dict by constant key."""

    base: Source
    key: Any

    @property
    def text(self) -> str:
        return f"{self.base.text}[{self.key!r}]"

    def fetch(self, arguments: Sequence[Any]) -> Any:
        return self.base.fetch(arguments)[self.key]


@dataclass(frozen=True, slots=True)
class Derived(Source):
    """What a pure function makes of an object, anew in each call."""

    base: Source
    name: str
    function: Callable[[Any], Any]

    @property
    def text(self) -> str:
        return f"{self.base.text}.{self.name}"

    def fetch(self, arguments: Sequence[Any]) -> Any:
        return self.function(self.base.fetch(arguments))


@dataclass(frozen=True, slots=True)
class Copied(Derived):
    """The items of a container, copied in each call into a plain one by the class `function`."""

    @property
    def text(self) -> str:
        return f"{self.name}({self.base.text})"


def copied(base: Source, cls: type) -> Copied:
    """Source of a container's items as those of a plain `cls`."""
    return Copied(base, cls.__name__, cls)
