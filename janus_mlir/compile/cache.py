"""Object code kept between processes, in the folder that ``config.cache_dir`` names.

An entry is found by what it was compiled from and by: the captured IR, the compiler's own binary, the machine
and the options that code generation depends on. So nothing is ever invalidated.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from janus_mlir import log
from janus_mlir._native import _compiler
from janus_mlir.config import config

__all__ = ["ObjectCache"]

_DIGEST_SIZE = 32


@cache
def _compiler_identity() -> bytes:
    """Return what distinguishes this compiler on this machine from all others."""
    digest = hashlib.blake2b(digest_size=_DIGEST_SIZE)
    native = Path(str(_compiler.__file__)).parent
    for path in sorted(native.glob("*.so")):
        digest.update(path.read_bytes())
    digest.update(repr(sorted(_compiler.host_target().items())).encode())
    return digest.digest()


@dataclass(frozen=True, slots=True)
class ObjectCache:
    """The folder of object code, an archive for each entry."""

    folder: Path

    @classmethod
    def configured(cls) -> ObjectCache | None:
        """Return the cache that the options ask for."""
        folder = config.cache_dir
        return None if folder is None else cls(Path(folder))

    def key(self, text: str) -> str:
        """Return the name of the entry for captured IR."""
        digest = hashlib.blake2b(digest_size=_DIGEST_SIZE)
        digest.update(_compiler_identity())
        digest.update(str(config.opt_level).encode())
        digest.update(text.encode())
        return digest.hexdigest()

    def get(self, key: str) -> bytes | None:
        """Return the code under `key`, or None if there is no sound one."""
        try:
            entry = self._path(key).read_bytes()
        except OSError:
            return None
        checksum, code = entry[:_DIGEST_SIZE], entry[_DIGEST_SIZE:]
        if hashlib.blake2b(code, digest_size=_DIGEST_SIZE).digest() != checksum:
            log.emit("cache", f"{key}: damaged, compiling anew")
            return None
        return code

    def put(self, key: str, code: bytes) -> None:
        """Keep code. A folder that cannot be written to is reported, not fatal."""
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Written aside and renamed: other processes see the whole entry or none.
            descriptor, name = tempfile.mkstemp(dir=path.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(hashlib.blake2b(code, digest_size=_DIGEST_SIZE).digest())
                    file.write(code)
                os.replace(name, path)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            log.emit("cache", f"not written: {error}")

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key[2:]}.a"
