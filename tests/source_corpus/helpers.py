"""What the functions of the corpus are tried on: objects that log what is done to them."""

# ruff: noqa

from __future__ import annotations

import contextlib
from dataclasses import dataclass


@dataclass
class Point:
    x: int
    y: int


class Box:
    def __init__(self, e):
        object.__setattr__(self, "e", e)
        object.__setattr__(self, "d", {})

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        self.e(("get", name), None)
        return self.d.get(name, 0)

    def __setattr__(self, name, value):
        self.e(("set", name, value), None)
        self.d[name] = value

    def __getitem__(self, key):
        self.e(("getitem", str(key)), None)
        return self.d.get(key, 0) if not isinstance(key, slice) else [1, 2]

    def __setitem__(self, key, value):
        self.e(("setitem", str(key), value), None)
        if not isinstance(key, slice):
            self.d[key] = value

    def __delitem__(self, key):
        self.e(("delitem", key), None)


class Truth:
    def __init__(self, e, tag, value):
        self.e, self.tag, self.value = e, tag, value

    def __bool__(self):
        self.e(("bool", self.tag), None)
        return self.value

    def __eq__(self, other):
        return isinstance(other, Truth) and other.tag == self.tag

    def __lt__(self, other):
        self.e(("lt", self.tag, other.tag), None)
        return Truth(self.e, (self.tag, other.tag), self.value)


@contextlib.contextmanager
def manager(e, tag, swallow=False):
    e(("enter", tag), None)
    try:
        yield tag
    except ValueError:
        e(("caught", tag), None)
        if not swallow:
            raise
    finally:
        e(("exit", tag), None)


def loud(e, tag, values):
    for value in values:
        e(("next", tag), None)
        yield value
    e(("end", tag), None)
