"""``python -m janus_mlir``: run a script and explain its functions, or dump their IR."""

from __future__ import annotations

import argparse
import runpy
import sys

import janus_mlir as janus
from janus_mlir.versions import all_managers


def _run(script: str, arguments: list[str]) -> None:
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m janus_mlir", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    explain = commands.add_parser("explain", help="run a script, then explain each jitted function")
    dump = commands.add_parser("dump", help="run a script and write the IR of each compilation to a folder")
    dump.add_argument("--to", default="janus-ir", metavar="DIR", help="the folder (default: %(default)s)")
    for command in (explain, dump):
        command.add_argument("script")
        command.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args(argv)
    if options.command == "dump":
        janus.config.update(dump_ir=options.to)
    _run(options.script, options.arguments)
    if options.command == "explain":
        for manager in all_managers():
            print(manager.jit.explain(), end="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
