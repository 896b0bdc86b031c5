"""Which files of the library a script uses, so that a change in one of them reruns the rule."""

import ast
from pathlib import Path


def imported_files(script: str | Path, root: str | Path) -> list[str]:
    """Return the Python files below `root` that `script` imports, directly or through others.

    Imports inside functions count. The script itself is not listed: Snakemake watches it already.

    Parameters
    ----------
    script : str or Path
    root : str or Path
        Folder that holds the packages, here the repository.

    Returns
    -------
    list of str
        Sorted paths.
    """
    root, found, waiting = Path(root), set(), [Path(script)]
    while waiting:
        for name in _imported_names(waiting.pop()):
            for path in _files_of(name, root) - found:
                found.add(path)
                waiting.append(path)
    return sorted(str(path) for path in found)


def _imported_names(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _files_of(name: str, root: Path) -> set[Path]:
    parts = name.split(".")
    modules = (root.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1))
    candidates = {path for module in modules for path in (module / "__init__.py", module.with_suffix(".py"))}
    return {path for path in candidates if path.is_file()}
