"""The programs of the JANUS paper side by side: Janus, eager JAX, `jax.jit` by hand, PyTorch, `torch.compile`."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from .measure import Column, Effort, as_json, from_json, measure
from .sizes import SIZES, UNITS
from .worker import COLUMNS

Results = dict[str, dict[str, Column]]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.models",
        description=__doc__,
        epilog="`python -m benchmarks.models.negative` shows what tracing does to the unmodified programs.",
    )
    parser.add_argument("programs", nargs="*", metavar="NAME", help=", ".join(SIZES))
    parser.add_argument("--all", action="store_true", help="all eleven")
    size = parser.add_mutually_exclusive_group()
    for profile, text in (
        ("small", "sizes for two cores (the default)"),
        ("paper", "sizes of the paper, one column at a time"),
        ("tiny", "sizes of the tests"),
    ):
        size.add_argument(f"--{profile}", dest="profile", action="store_const", const=profile, help=text)
    parser.set_defaults(profile="small")
    parser.add_argument("--columns", default=",".join(COLUMNS), help="some of %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="how often the columns take turns")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each column in each round")
    parser.add_argument(
        "--warmup",
        type=int,
        default=0,
        help="calls that Janus profiles before it compiles (default %(default)s: in these, eager JAX would spend "
        "most of the time on preparing operations)",
    )
    parser.add_argument("--json", type=Path, help="write the results there")
    parser.add_argument(
        "--load", type=Path, help="show the results of an earlier --json instead of measuring"
    )
    parser.add_argument("--plot", type=Path, help="draw the throughputs as bars (needs matplotlib)")
    parser.add_argument(
        "--curves", type=Path, help="draw the losses of eager JAX and Janus (needs matplotlib)"
    )
    options = parser.parse_args()
    options.programs = list(SIZES) if options.all else options.programs
    options.columns = options.columns.split(",")
    for chosen, known in ((options.programs, SIZES), (options.columns, COLUMNS)):
        for name in chosen:
            if name not in known:
                parser.error(f"{name!r} is none of {', '.join(known)}")
    if not options.programs and options.load is None:
        parser.error("name a program, or --all")
    return options


def run(options: argparse.Namespace, console: Console) -> Results:
    effort = Effort(
        rounds=options.rounds,
        seconds=options.seconds,
        warmup=options.warmup,
        together=options.profile != "paper",
    )
    results: Results = {}
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=len(options.programs))
        for program in options.programs:

            def note(text: str, program: str = program) -> None:
                progress.update(bar, description=f"{program:10} {text}")

            results[program] = measure(program, options.columns, options.profile, effort, note)
            progress.advance(bar)
            for name, column in results[program].items():
                if column.error:
                    console.print(f"{program}, {COLUMNS[name]}: {column.error}", style="red", markup=False)
            if options.json:
                write(options, results)
    return results


def write(options: argparse.Namespace, results: Results) -> None:
    content = {"profile": options.profile, "versions": versions(), "programs": as_json(results)}
    options.json.write_text(json.dumps(content, indent=1))


def versions() -> dict[str, str]:
    found = {"Python": platform.python_version(), "cores": str(os.cpu_count())}
    for package in ("janus-mlir", "jax", "torch", "numpy", "gymnasium"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def number(value: float | None, unit: str = "") -> str:
    if value is None or math.isnan(value):
        return "-"
    return f"{value:,.0f}{unit}" if value >= 100 else f"{value:.3g}{unit}"


def show(console: Console, profile: str, found: dict[str, str], results: Results) -> None:
    """Print the tables."""
    names = [name for name in COLUMNS if any(name in columns for columns in results.values())]

    def grid(
        title: str,
        shown: list[str],
        cell: Callable[[str, Column, str], str],
        label: Callable[[str], str] = str,
    ) -> Table:
        table = Table(title=title)
        table.add_column("program", no_wrap=True)
        for name in shown:
            table.add_column(COLUMNS[name], justify="right", no_wrap=True)
        for program, columns in results.items():
            present = [columns.get(name) for name in shown]
            cells = [
                cell(program, column, name) if column and not column.error else "-"
                for name, column in zip(shown, present, strict=True)
            ]
            table.add_row(label(program), *cells)
        return table

    console.print(
        grid(
            f"Throughput in steady state, {profile} profile",
            names,
            lambda program, column, name: number(column.rate),
            lambda program: f"{program}, {UNITS[program]}/s",
        )
    )
    others = [name for name in names if name != "janus"]
    if "janus" in names and others:
        ratios: dict[str, list[float]] = {}

        def ratio(program: str, column: Column, name: str) -> str:
            ours = results[program].get("janus")
            value = ours.relative_to(column) if ours is not None else None
            if value is not None:
                ratios.setdefault(name, []).append(value)
            return number(value, "x")

        table = grid("Throughput of Janus relative to", others, ratio)
        table.add_section()
        means = [
            math.exp(statistics.fmean(map(math.log, ratios[n]))) if n in ratios else None for n in others
        ]
        table.add_row("geometric mean", *(number(mean, "x") for mean in means))
        console.print(table)
    console.print(
        grid("Seconds until the first step is over", names, lambda _, column, __: number(column.first))
    )
    console.print(grid("Peak memory in MB", names, lambda _, column, __: number(column.memory)))
    if "janus" in names:
        show_janus(console, results)
    console.print(", ".join(f"{name} {version}" for name, version in found.items()), style="dim")


def show_janus(console: Console, results: Results) -> None:
    table = Table(title="Janus")
    table.add_column("program", no_wrap=True)
    for title in (
        "versions", "compiled", "in seconds", "guard\nfailures", "deopts", "native\ncalls", "loss apart\nfrom eager",
    ):  # fmt: skip
        table.add_column(title, justify="right")
    left = []
    for program, columns in results.items():
        column = columns.get("janus")
        if column is None or not column.stats:
            continue
        stats, steady = column.stats, column.steady
        table.add_row(
            program,
            f"{stats['versions']:.0f}",
            f"{stats['compilations']:.0f}x",
            f"{stats['compile_seconds']:.2f}",
            f"{stats['guard_failures']:.0f}",
            f"{stats['deopts']:.0f}",
            f"{steady['compiled_calls'] / max(steady['calls'], 1):.0%}",
            apart(columns),
        )
        left += [f"{program}, left to Python: {reason}" for reason in column.left]
    console.print(table)
    for line in left:
        console.print(line, markup=False)


def apart(columns: dict[str, Column]) -> str:
    """Say how far the losses of Janus and eager JAX are apart, relative to their size, in how many steps."""
    if "eager" not in columns or not columns["eager"].losses:
        return "-"
    pairs = list(zip(columns["janus"].losses, columns["eager"].losses, strict=False))
    return f"{max(abs(a - b) / max(abs(b), 1e-3) for a, b in pairs):.0e} in {len(pairs)}"


def main() -> None:
    options = parse()
    console = Console()
    start = time.perf_counter()
    if options.load is not None:
        content = json.loads(options.load.read_text())
        results, profile, found = from_json(content["programs"]), content["profile"], content["versions"]
    else:
        results, profile, found = run(options, console), options.profile, versions()
    show(console, profile, found, results)
    if options.load is None:
        console.print(f"{time.perf_counter() - start:.0f} s in all", style="dim")
    if options.plot or options.curves:
        from .plots import draw_bars, draw_curves

        if options.plot:
            draw_bars(results, profile, options.plot)
        if options.curves:
            draw_curves(results, profile, options.curves)
    if any(column.error for columns in results.values() for column in columns.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
