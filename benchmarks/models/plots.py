"""Pictures of the results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

from .measure import Column
from .worker import COLUMNS

matplotlib.use("agg")
from matplotlib import pyplot  # noqa: E402

COLOURS = {
    "eager": "#9aa5b1",
    "janus": "#c8102e",
    "jax": "#2f5d8a",
    "torch": "#e8b96a",
    "compile": "#b5761d",
}


def draw_bars(results: dict[str, dict[str, Column]], profile: str, path: Path) -> None:
    """Draw throughputs relative to eager JAX."""
    names = [n for n in COLOURS if any(n in columns for columns in results.values())]
    programs = [p for p, columns in results.items() if "eager" in columns and columns["eager"].rates]
    figure, axes = pyplot.subplots(figsize=(1.2 + 1.1 * max(len(programs), 3), 3.6))
    width = 0.8 / len(names)
    for i, name in enumerate(names):
        heights = []
        for program in programs:
            column = results[program].get(name)
            ratio = column.relative_to(results[program]["eager"]) if column is not None else None
            heights.append(ratio or 0.0)
        places = [j + (i - (len(names) - 1) / 2) * width for j in range(len(programs))]
        bars = axes.bar(places, heights, width, label=COLUMNS[name], color=COLOURS[name])
        if name == "janus":
            axes.bar_label(bars, fmt="%.3g", fontsize=7)
    axes.set_yscale("log")
    axes.set_ylabel("throughput, eager JAX = 1")
    axes.set_xticks(range(len(programs)), programs)
    axes.set_title(f"Training throughput, {profile} profile", fontsize=10)
    axes.legend(fontsize=7, ncols=len(names), loc="upper center", bbox_to_anchor=(0.5, -0.1), frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=160, bbox_inches="tight")


def draw_curves(results: dict[str, dict[str, Column]], profile: str, path: Path) -> None:
    """Draw the losses of eager JAX and of Janus, step by step."""
    programs = [p for p, columns in results.items() if "eager" in columns and "janus" in columns]
    rows = -(-len(programs) // 4)
    grid: Any
    figure, grid = pyplot.subplots(rows, 4, figsize=(12, 2.4 * rows), squeeze=False)
    for axes in grid.flat[len(programs) :]:
        axes.set_visible(False)
    for program, axes in zip(programs, grid.flat, strict=False):
        eager, ours = results[program]["eager"].losses, results[program]["janus"].losses
        count = min(len(eager), len(ours))
        if "nudged" in results[program]:
            yardstick = results[program]["nudged"].losses[:count]
            axes.plot(yardstick, color=COLOURS["torch"], linewidth=2, label="eager JAX, one ulp off")
        axes.plot(eager[:count], color=COLOURS["eager"], linewidth=4, label="eager JAX")
        axes.plot(ours[:count], color=COLOURS["janus"], linewidth=1, label="Janus")
        axes.set_title(program, fontsize=9)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    grid.flat[0].legend(fontsize=7, frameon=False)
    figure.suptitle(f"Loss by step, {profile} profile", fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=160)
