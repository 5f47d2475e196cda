"""What CONTRIBUTING and the design ask of the tree: files of one subject, imports without circles."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "janus_mlir"
MAX_LINES = 600


def sources(*suffixes: str) -> list[Path]:
    folders = ["janus_mlir", "csrc", "dialects", "tools"]
    return sorted(
        path for folder in folders for path in (REPOSITORY / folder).rglob("*") if path.suffix in suffixes
    )


@pytest.mark.parametrize("suffixes", [(".py",), (".cpp", ".h"), (".td",)], ids=["python", "c++", "tablegen"])
def test_files_stay_small(suffixes: tuple[str, ...]) -> None:
    lengths = {
        path.relative_to(REPOSITORY): len(path.read_text().splitlines()) for path in sources(*suffixes)
    }
    assert not {str(path): lines for path, lines in lengths.items() if lines > MAX_LINES}


def module_name(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(path: Path, modules: set[str]) -> set[str]:
    """The modules of the package that this one imports when it is imported itself."""
    name = module_name(path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or is_type_checking(node):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *([node.module] if node.module else [])])
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                found.add(submodule if submodule in modules else base)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text()))
    return (found & modules) - {name}


def test_imports_have_no_circles() -> None:
    paths = {module_name(path): path for path in sources(".py")}
    graph = {name: imports(path, set(paths)) for name, path in paths.items()}
    # Take away what imports nothing that is left, until nothing changes: what remains is or reaches a circle.
    while True:
        leaves = {name for name, targets in graph.items() if not targets & graph.keys()}
        if not leaves:
            break
        graph = {name: targets for name, targets in graph.items() if name not in leaves}
    assert not {name: sorted(targets & graph.keys()) for name, targets in graph.items()}
