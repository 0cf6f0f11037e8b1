"""What code made a result: hashes of the modules that a stage runs.

Snakemake sees a rule's script, and of that only the file time; it does not see what the script imports. So every rule carries
`code=code_hash(stage)`, which follows the imports:

    scripts/track.py -> cytocause.track -> cytocause.track.link -> cytocause.io.tables -> ...
         |                   (all read as syntax trees; nothing is imported or run)
         +-- sha256 over the trees without docstrings: comments, blank lines and file times change nothing

What a module reads beside its code counts with it: the data dictionary, which puts units and meanings into the tables, is hashed with the
module that reads it.

A package door that only hands names out lazily (`__getattr__` in `__init__.py`) is not code that computes: a name asked from it leads to
the module that defines the name, so that an edit in `io.graphs` does not rerun stages that draw no graph.
"""

import ast
import hashlib
import re
from functools import cache
from pathlib import Path

PACKAGE = "cytocause"
SCRIPTS = Path(__file__).resolve().parents[2]
READS = {"cytocause/io/dictionary.py": "resources/data_dictionary.tsv"}  # module, under scripts: its file, under the folder that holds scripts


@cache
def code_hash(stage, scripts=SCRIPTS):
    """Hash of the code behind one stage's script.

    Parameters
    ----------
    stage : str
        Name of the script without its suffix: "track" for scripts/track.py.
    scripts : Path
        The folder with the scripts and the package.

    Returns
    -------
    str
        64 hexadecimal digits. The same for the same code and the files it reads (READS), whatever its comments, docstrings, layout and
        file times; "absent" when there is no such script.
    """
    scripts = Path(scripts)
    if not (scripts / f"{stage}.py").is_file():
        return "absent"
    digest = hashlib.sha256()
    for path in code_files(stage, scripts):
        name = path.relative_to(scripts).as_posix()
        digest.update(name.encode())
        digest.update(_source(path)["digest"])
        if name in READS:
            digest.update(hashlib.sha256((scripts.parent / READS[name]).read_bytes()).digest())
    return digest.hexdigest()


def code_files(stage, scripts=SCRIPTS):
    """Files that `code_hash(stage)` reads, sorted: the script and the package modules it imports, directly or not. A list of Path."""
    scripts = Path(scripts)
    start = scripts / f"{stage}.py"
    modules = _modules(scripts)
    seen, queue = {start}, [start]
    while queue:
        path = queue.pop()
        for found in _imported(path, modules, scripts):
            if found not in seen:
                seen.add(found)
                queue.append(found)
    return sorted(path for path in seen if not _is_lazy_door(path) and path != scripts / PACKAGE / "__init__.py")


@cache
def kernels_hash(scripts=SCRIPTS):
    """Hash of every module that numba may compile: those that import numba and the package modules they import.

    Bytes, not syntax trees: this runs at the start of every process, and a comment's only harm here is one compilation.
    Returns 16 hexadecimal digits.
    """
    scripts = Path(scripts)
    modules = _modules(scripts)
    texts = {path: path.read_bytes() for path in modules.values()}
    seen = {path for path, text in texts.items() if _NUMBA.search(text)}
    queue = list(seen)
    while queue:
        path = queue.pop()
        for name in _imported_names(texts[path].decode("utf-8", "replace"), path, scripts):
            found = modules.get(name)
            if found is not None and found not in seen:
                seen.add(found)
                queue.append(found)
    digest = hashlib.sha256()
    for path in sorted(seen):
        digest.update(path.relative_to(scripts).as_posix().encode() + b"\0" + texts[path] + b"\0")
    return digest.hexdigest()[:16]


def _modules(scripts):
    """Dotted name -> file, for the whole package."""
    named = {}
    for path in sorted((scripts / PACKAGE).rglob("*.py")):
        parts = path.relative_to(scripts).with_suffix("").parts
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return named


_FROM = re.compile(r"^[ \t]*from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)", re.MULTILINE)
_NUMBA = re.compile(rb"^[ \t]*(from|import)[ \t]+numba\b", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*import[ \t]+([^\n]*)", re.MULTILINE)


def _imported_names(text, path, scripts):
    """Dotted names that a module's text may import, without parsing it."""
    for module, names in _FROM.findall(text):
        base = _absolute(module.lstrip("."), len(module) - len(module.lstrip(".")), path, scripts)
        yield base
        for name in re.findall(r"\w+", names):
            yield f"{base}.{name}"
    for names in _IMPORT.findall(text):
        yield from re.findall(r"[\w.]+", names)


def _absolute(module, level, path, scripts):
    """The dotted name that `from <level dots><module>` means inside the file `path`."""
    if level == 0:
        return module
    package = path.relative_to(scripts).parent.parts
    base = package[: len(package) - (level - 1)]
    return ".".join([*base, module] if module else base)


@cache
def _read(path, _stamp):
    tree = ast.parse(path.read_bytes(), filename=str(path))
    imports, defined, homes, dynamic = [], set(), {}, False
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            defined.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                defined.update(leaf.id for leaf in ast.walk(target) if isinstance(leaf, ast.Name))
            if isinstance(node.value, ast.Dict):
                homes.update(_constant_pairs(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += [(0, alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports += [(node.level, node.module or "", alias.name) for alias in node.names]
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            dynamic |= called in ("import_module", "__import__")
        _drop_docstring(node)
    return {
        "digest": hashlib.sha256(ast.dump(tree).encode()).digest(),
        "imports": imports,
        "defined": defined,
        "homes": homes,
        "dynamic": dynamic,
        "lazy": path.name == "__init__.py" and "__getattr__" in defined,
    }


def _constant_pairs(node):
    """{name: module} of a lazy door's table, {"open_movie": "movies", ...}: the pairs of words in a dict literal."""
    pairs = zip(node.keys, node.values)
    return {
        key.value: value.value
        for key, value in pairs
        if isinstance(key, ast.Constant) and isinstance(value, ast.Constant) and isinstance(value.value, str)
    }


def _drop_docstring(node):
    if isinstance(node, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.body:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            node.body[0] = ast.Pass()


def _source(path):
    """What is asked of one file: its digest without comments and docstrings, its imports, the names it defines."""
    stat = path.stat()
    return _read(path, (stat.st_mtime_ns, stat.st_size))


def _is_lazy_door(path):
    return _source(path)["lazy"]


def _imported(path, modules, scripts):
    """Files of the package that the file `path` imports."""
    source = _source(path)
    found = set()
    if path == scripts / PACKAGE / "__init__.py":
        return found  # the version and the kernels' cache: nothing that computes
    if source["dynamic"] and not source["lazy"] and path.parent != scripts:
        found.update(_room(path.parent, modules))  # which module is meant is known only when it runs: any of the room
    if source["lazy"]:
        return found  # what it hands out is followed name by name, from where the name is asked
    for level, module, name in source["imports"]:
        base = _absolute(module, level, path, scripts)
        if base.split(".")[0] != PACKAGE:
            continue
        parts = base.split(".")
        found.update(modules[parent] for k in range(1, len(parts) + 1) if (parent := ".".join(parts[:k])) in modules)
        if name is None:
            continue
        door = modules.get(base)
        if f"{base}.{name}" in modules:
            target = modules[f"{base}.{name}"]
            found.update(_room(target.parent, modules) if target.name == "__init__.py" else [target])
        elif door is not None and _is_lazy_door(door):
            home = modules.get(f"{base}.{_source(door)['homes'].get(name, '').lstrip('.')}")
            givers = [file for file in _room(door.parent, modules) if name in _source(file)["defined"] and file != door]
            found.update([home] if home else givers or _room(door.parent, modules))
    return found


def _room(folder, modules):
    return [path for path in modules.values() if folder in path.parents]
