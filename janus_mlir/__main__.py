"""``python -m janus_mlir``: run a script and explain its functions, or dump their IR."""

from __future__ import annotations

import argparse
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any

import janus_mlir as janus
from janus_mlir.report_html import page
from janus_mlir.versions import all_managers

_kept: list[dict[str, Any]] = []


def _run(script: str, arguments: list[str]) -> int:
    """Run a script as Python would; what it did is explained even if it ends in an error."""
    sys.argv = [script, *arguments]
    sys.path.insert(0, str(Path(script).resolve().parent))
    try:
        # Kept alive, so that functions of the script can be explained.
        _kept.append(runpy.run_path(script, run_name="__main__"))
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except Exception:  # the script's own error: report it the way Python does, then explain
        traceback.print_exc()
        return 1
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m janus_mlir", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    explain = commands.add_parser("explain", help="run a script, then explain each jitted function")
    dump = commands.add_parser("dump", help="run a script and write the IR of each compilation to a folder")
    dump.add_argument("--to", default="janus-ir", metavar="DIR", help="the folder (default: %(default)s)")
    explain.add_argument(
        "--html", metavar="FILE", help="write the reports to a page instead of printing them"
    )
    for command in (explain, dump):
        command.add_argument("script")
        command.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args(argv)
    if options.command == "dump":
        janus.config.update(dump_ir=options.to)
    status = _run(options.script, options.arguments)
    if options.command == "explain":
        managers = all_managers()
        # What follows a statement left to Python is part of the report on its function.
        rests = {id(rest) for manager in managers for rest in manager.rests}
        reports = [manager.jit.explain() for manager in managers if id(manager) not in rests]
        if not reports:
            print("no function was jitted, or none is alive any more", file=sys.stderr)
        if options.html is None:
            for report in reports:
                print(report, end="\n\n")
        else:
            text = page(options.script, (report._repr_html_() for report in reports))
            Path(options.html).write_text(text, encoding="utf-8")
            print(f"wrote {len(reports)} report(s) to {options.html}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
