"""Builtins, ``math``, ``operator`` and ``itertools`` on abstract values."""
