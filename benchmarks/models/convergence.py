"""Loss curves of the programs, imperative and under Janus, from the same seed: do they lie on each other?

    python -m benchmarks.models.convergence --all --plot curves.png

Each program trains three times, in processes of their own: eagerly, under Janus for as many steps as that took, and, as a
yardstick, eagerly from weights that are off by one unit in the last place. Janus does the same arithmetic in another order,
so that curves part where a program feeds rounding back into what it does next: players and agents, which choose by it, and deep
networks with ReLU and small batches, whose gradient jumps by some per cent when one sum in a million changes its sign. How far,
and from when on, is in the table; the yardstick says how far rounding alone takes eager JAX from itself.
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from .measure import Column, Worker, as_json, from_json
from .sizes import SIZES

Results = dict[str, dict[str, Column]]
#: Curves that differ by more than this, relative to the range of losses, have parted.
TOLERANCE = 1e-2


@dataclass(frozen=True)
class Agreement:
    """How two loss curves compare."""

    steps: int
    #: The first step at which they have parted, None if they never do.
    parted: int | None
    #: The largest distance, and that of the averages of the last quarter, relative to the range of losses.
    largest: float
    at_end: float

    def when(self) -> str:
        """Say when they have parted."""
        return "never" if self.parted is None else f"step {self.parted + 1}"


def agreement(eager: list[float], ours: list[float]) -> Agreement:
    """Compare the loss curves of the same program."""
    steps = min(len(eager), len(ours))
    eager, ours = eager[:steps], ours[:steps]
    scale = max(max(eager) - min(eager), 1e-3 * max(map(abs, eager)), 1e-12)
    apart = [abs(a - b) / scale for a, b in zip(eager, ours, strict=True)]
    last = max(steps // 4, 1)
    at_end = abs(sum(eager[-last:]) - sum(ours[-last:])) / last / scale
    parted = next((i for i, distance in enumerate(apart) if distance > TOLERANCE), None)
    return Agreement(steps, parted, max(apart), at_end)


def curves(program: str, profile: str, steps: int, seconds: float) -> dict[str, Column]:
    """Train a program eagerly, under Janus, and eagerly from other weights."""
    results: dict[str, Column] = {}
    for name in ("eager", "janus", "nudged"):
        column = results[name] = Column()
        with ExitStack() as stack:
            try:
                worker = Worker(program, "eager" if name == "nudged" else name, profile, 0, stack)
                if name == "nudged" and not worker.ask(do="nudge")["moved"]:
                    raise RuntimeError("no weights to move were found")
                found = worker.ask(do="steps", count=steps, seconds=seconds if name == "eager" else 1e9)
                column.stats = worker.ask(do="report")["stats"]
            except RuntimeError as error:
                column.error = str(error)
                break
        column.losses, column.first = found["losses"], found["seconds"][0]
        steps = len(column.losses)
    return results


def table(profile: str, results: Results) -> Table:
    """Return the table of how far curves are apart."""
    made = Table(title=f"Losses of eager JAX and Janus from the same seed, {profile} profile")
    made.add_column("program", no_wrap=True)
    for title in (
        "steps",
        "first loss",
        "last, eager",
        "last, Janus",
        "largest\ndistance",
        "distance\nat the end",
        "parted",
        "yardstick:\nlargest",
        "\nparted",
    ):
        made.add_column(title, justify="right")
    for program, columns in results.items():
        errors = [column.error for column in columns.values() if column.error]
        if errors:
            made.add_row(program, errors[0])
            continue
        eager, ours = columns["eager"].losses, columns["janus"].losses
        found = agreement(eager, ours)
        last = found.steps - 1
        yardstick = agreement(eager, columns["nudged"].losses)
        numbers = (
            f"{eager[0]:.4g}",
            f"{eager[last]:.4g}",
            f"{ours[last]:.4g}",
            f"{found.largest:.1e}",
            f"{found.at_end:.1e}",
        )
        made.add_row(
            program,
            str(found.steps),
            *numbers,
            found.when(),
            f"{yardstick.largest:.1e}",
            yardstick.when(),
        )
    made.caption = (
        f"Distances are relative to the range of the eager losses; above {TOLERANCE:.0%}, curves have parted. "
        "The yardstick is eager JAX from weights one unit in the last place away."
    )
    return made


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.models.convergence", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("programs", nargs="*", metavar="NAME", help=", ".join(SIZES))
    parser.add_argument("--all", action="store_true", help="all eleven")
    parser.add_argument("--profile", choices=("tiny", "small", "paper"), default="small")
    parser.add_argument("--steps", type=int, default=200, help="at most (default %(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="at most, of eager JAX (default %(default)s)"
    )
    parser.add_argument("--json", type=Path, help="write the losses there")
    parser.add_argument("--load", type=Path, help="show the losses of an earlier --json instead of training")
    parser.add_argument("--plot", type=Path, help="draw the curves (needs matplotlib)")
    options = parser.parse_args()
    options.programs = list(SIZES) if options.all else options.programs
    unknown = [name for name in options.programs if name not in SIZES]
    if unknown or not (options.programs or options.load):
        parser.error(f"name some of {', '.join(SIZES)}, or --all")
    return options


def main() -> None:
    options = parse()
    console = Console()
    results: Results = {}
    profile: str = options.profile
    if options.load:
        content = json.loads(options.load.read_text())
        profile, results = content["profile"], from_json(content["programs"])
    for program in track(
        options.programs if not options.load else [], console=console, description="training"
    ):
        results[program] = curves(program, profile, options.steps, options.seconds)
        if options.json:
            options.json.write_text(json.dumps({"profile": profile, "programs": as_json(results)}, indent=1))
    console.print(table(profile, results))
    if options.plot:
        from .plots import draw_curves

        draw_curves(
            {p: c for p, c in results.items() if not any(x.error for x in c.values())}, profile, options.plot
        )
    if any(column.error for columns in results.values() for column in columns.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
