"""The places where native code hands values back, and how these become objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from janus_mlir.locations import Span

if TYPE_CHECKING:
    from janus_mlir.capture.boundary.frames import Detour, Link

SiteKind = Literal["return", "effect", "exit"]


@dataclass(frozen=True, slots=True)
class ValueSpec:
    """How one value of a site becomes a Python object."""

    kind: Literal["int", "float", "bool", "numpy", "npscalar", "jax", "object", "objects"]
    dtype: np.dtype[Any] | None = None
    shape: tuple[Any, ...] = ()
    weak: bool = False


@dataclass(slots=True)
class Site:
    """A point where native code hands values back."""

    id: int
    kind: SiteKind
    span: Span | None
    #: What happens there, in words: the effect, or the guard's condition, or the reason of the break.
    text: str
    specs: list[ValueSpec] = field(default_factory=list)
    #: Source of ``def site(o, v0, ...)`` and the constants it uses.
    source: str = ""
    constants: dict[str, Any] = field(default_factory=dict)
    fast: Literal["single", "tuple", "none"] | None = None
    #: Exits: False if the effects so far are committed before Python goes on from `resume`.
    discard: bool = False
    #: Exits: guard kind, or the code of the reason.
    reason: str = ""
    #: Exits that continue in the middle: the resume functions, outermost first.
    resume: list[Link] = field(default_factory=list)
    #: Exits after which compiled code goes on.
    detour: Detour | None = None
    #: Key of the branch in the profile whose direction was assumed, if the guard is of that kind.
    branch: Span | None = None
    #: Whether lists of run-time length need more room if this guard fails.
    grows: bool = False
    #: The place of an int operation, if the guard is that its result fits 64 bits.
    wide: Span | None = None
    #: What was observed to be one number everywhere (the key of a `Seen`), if that is what is assumed.
    constant: Any = None
