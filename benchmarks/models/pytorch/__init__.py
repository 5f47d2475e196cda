"""The programs in PyTorch. Each ``Training`` is given what to do with functions: nothing, or ``torch.compile``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: ``torch.compile``, or a function that returns its argument.
Compile = Callable[[Callable[..., Any]], Callable[..., Any]]
