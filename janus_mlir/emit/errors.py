"""What emission cannot express."""

from __future__ import annotations

from janus_mlir.errors import JanusError
from janus_mlir.reasons import reason_line

__all__ = ["EmitError"]


class EmitError(JanusError):
    """A captured program has no MLIR form.

    Attributes
    ----------
    code : str
        A code of `janus_mlir.reasons`.
    subject : str
        What has no form: the name of a JAX primitive, of an element type, of a symbolic extent.
    """

    def __init__(self, code: str, subject: str) -> None:
        super().__init__(code, subject)
        self.code = code
        self.subject = subject

    def __str__(self) -> str:
        return reason_line(self.code, self.subject)

    @classmethod
    def primitive(cls, name: str) -> EmitError:
        """Return the error for a JAX primitive that has no import."""
        return cls("JN401", name)

    @classmethod
    def element_type(cls, name: str) -> EmitError:
        """Return the error for an array element type without a native form."""
        return cls("JN402", name)

    @classmethod
    def extent(cls, name: str) -> EmitError:
        """Return the error for a symbolic extent that no input has."""
        return cls("JN702", f"no input has the extent '{name}'")
