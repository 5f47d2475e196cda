"""What Janus tells about itself: messages on named channels, to stderr, chosen by ``JANUS_LOG``.

Each channel is also the standard logger ``janus_mlir.<channel>``, to which a program may attach handlers.
"""

from __future__ import annotations

import logging
import sys

from janus_mlir.config import CHANNELS, config

__all__ = ["CHANNELS", "emit", "enabled"]

_LOGGERS = {name: logging.getLogger(f"janus_mlir.{name}") for name in CHANNELS}


def enabled(channel: str) -> bool:
    """Whether a message on `channel` would reach anyone. Ask before building a costly one."""
    selected = config.log
    return channel in selected or "all" in selected or _LOGGERS[channel].isEnabledFor(logging.INFO)


def emit(channel: str, message: str) -> None:
    """Say `message` on `channel`."""
    selected = config.log
    if channel in selected or "all" in selected:
        print(f"[janus {channel}] {message}", file=sys.stderr, flush=True)
    logger = _LOGGERS[channel]
    if logger.isEnabledFor(logging.INFO):
        logger.info(message)
