"""Data that comes with the packages at hand: digits, sample photographs, English text, and the shapes of ImageNet."""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

import numpy as np

_P = ParamSpec("_P")
_T = TypeVar("_T")
Batch = tuple[np.ndarray, np.ndarray]


def prepared(generate: Callable[_P, Iterator[_T]]) -> Callable[_P, Iterator[_T]]:
    """Let a generator make its first item when it is called: reading data is then no part of the first step."""

    @functools.wraps(generate)
    def start(*arguments: _P.args, **options: _P.kwargs) -> Iterator[_T]:
        items = generate(*arguments, **options)
        return itertools.chain([next(items)], items)

    return start


@functools.cache
def digits(side: int) -> Batch:
    """Return handwritten digits, enlarged to `side` pixels: images (N, side, side, 1) in [0, 1], and labels."""
    from scipy.ndimage import zoom
    from sklearn.datasets import load_digits

    found = load_digits()
    images = found.images.astype(np.float32) / 16
    if side != images.shape[1]:
        images = zoom(images, (1, side / 8, side / 8), order=1, grid_mode=True, mode="nearest")
    return images[..., None].clip(0, 1), found.target.astype(np.int32)


@prepared
def digit_batches(side: int, batch: int, seed: int = 0) -> Iterator[Batch]:
    """Yield batches of `digits` for ever, shuffled anew in every epoch."""
    images, labels = digits(side)
    random = np.random.default_rng(seed)
    while True:
        order = random.permutation(len(images))
        for first in range(0, len(order) - batch + 1, batch):
            chosen = order[first : first + batch]
            yield images[chosen], labels[chosen]


@prepared
def imagenet_batches(side: int, classes: int, batch: int, seed: int = 0) -> Iterator[Batch]:
    """Yield synthetic images for ever: noise with a stripe whose place and colour tell the class.

    There are a few fixed batches, so that a network can learn them.
    """
    random = np.random.default_rng(seed)
    batches = []
    for _ in range(4):
        labels = random.integers(0, classes, batch).astype(np.int32)
        images = random.normal(0, 0.5, (batch, side, side, 3)).astype(np.float32)
        for image, label in zip(images, labels, strict=True):
            image[int(label) % side, :, int(label) % 3] += 2.0
        batches.append((images, labels))
    while True:
        yield from batches


@functools.cache
def _tokens() -> list[str]:
    from pydoc_data.topics import topics

    return re.findall(r"[a-z_']+|[0-9]+|[^\sa-z0-9]", "\n".join(topics.values()).lower())


@functools.cache
def words(vocabulary: int) -> np.ndarray:
    """Return the text of Python's manual as word numbers below `vocabulary`; 0 stands for the rare ones."""
    text = _tokens()
    common = [word for word, _ in Counter(text).most_common(vocabulary - 1)]
    numbers = {word: number for number, word in enumerate(common, start=1)}
    return np.array([numbers.get(word, 0) for word in text], dtype=np.int32)


@prepared
def sequences(vocabulary: int, batch: int, length: int, spread: int = 1) -> Iterator[Batch]:
    """Yield (words, next words), both (batch, length), each row going on where that of the batch before has ended.

    `spread` makes a larger vocabulary out of the text: occurrences of a word are dealt out to so many
    numbers in turn.
    """
    text = words(vocabulary // spread)
    if spread > 1:
        text = text * spread + np.arange(len(text), dtype=np.int32) % spread
    rows = text[: len(text) // batch * batch].reshape(batch, -1)
    while True:
        for first in range(0, rows.shape[1] - length, length):
            yield rows[:, first : first + length], rows[:, first + 1 : first + length + 1]


@functools.cache
def photographs() -> np.ndarray:
    """Return two photographs, (2, height, width, 3) in [-1, 1]."""
    from sklearn.datasets import load_sample_images

    return np.stack(load_sample_images().images).astype(np.float32) / 127.5 - 1


@prepared
def image_pairs(side: int, seed: int = 0) -> Iterator[Batch]:
    """Yield (edges, picture), both (1, side, side, 3): random pieces of photographs, and their outlines."""
    images = photographs()
    random = np.random.default_rng(seed)
    _, height, width, _ = images.shape
    while True:
        which = random.integers(len(images))
        top, left = random.integers(height - side), random.integers(width - side)
        picture = images[which, top : top + side, left : left + side]
        grey = picture.mean(axis=-1)
        edges = np.hypot(*np.gradient(grey)).clip(0, 0.5) * 4 - 1
        yield np.repeat(edges[..., None], 3, axis=-1)[None].astype(np.float32), picture[None].copy()
