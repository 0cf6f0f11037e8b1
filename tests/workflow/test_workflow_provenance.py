"""Hashes of code: what moves them, what does not, and that they cover what a stage imports."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cytocause.io.provenance import code_files, code_hash, kernels_hash
from tests.workflow.lab import ROOT

SCRIPTS = (
    *("simulate", "prepare", "segment", "train_network", "train_model", "track", "measure", "fate", "overlay", "assemble"),
    *("infer", "score", "report", "ablation", "ablation_truth", "ablation_without", "power_world", "power"),
)


@pytest.fixture
def tree(tmp_path):
    """A small package with two rooms and an io that hands its names out lazily."""
    files = {
        "link.py": "from cytocause.link import link\nlink()\n",
        "draw.py": "from cytocause.io import paint\npaint()\n",
        "cytocause/__init__.py": "__version__ = '1'\n",
        "cytocause/link/__init__.py": "from .near import near\n\ndef link():\n    return near()\n",
        "cytocause/link/near.py": "from cytocause.io import read\nfrom . import kernels\n\ndef near():\n    '''Doc.'''\n    return kernels.add(1)\n",
        "cytocause/link/kernels.py": "from numba import njit\nfrom .steps import step\n\n@njit(cache=True)\ndef add(x):\n    return x + step(x)\n",
        "cytocause/link/steps.py": "def step(x):\n    return 1\n",
        "cytocause/io/__init__.py": "HOME = {'read': 'tables', 'paint': 'colours'}\n\ndef __getattr__(name):\n    import importlib\n    return importlib.import_module(HOME[name])\n",
        "cytocause/io/tables.py": "def read():\n    return 1\n",
        "cytocause/io/colours.py": "from .tables import read\n\ndef paint():\n    return 2\n",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def hashes(tree):
    """(of link, of draw, of the kernels), read anew."""
    code_hash.cache_clear()
    kernels_hash.cache_clear()
    return code_hash("link", tree), code_hash("draw", tree), kernels_hash(tree)


def names(stage, tree):
    return [path.relative_to(tree).as_posix() for path in code_files(stage, tree)]


def test_imports_are_followed_and_lazy_names_lead_to_their_module(tree):
    assert names("link", tree) == [
        "cytocause/io/tables.py", "cytocause/link/__init__.py", "cytocause/link/kernels.py", "cytocause/link/near.py",
        "cytocause/link/steps.py", "link.py",
    ]  # fmt: skip
    assert names("draw", tree) == ["cytocause/io/colours.py", "cytocause/io/tables.py", "draw.py"]


@pytest.mark.parametrize(
    ("file", "old", "new", "moved"),
    [
        ("cytocause/link/steps.py", "return 1", "return 2", (True, False, True)),
        ("cytocause/link/near.py", "add(1)", "add(2)", (True, False, False)),
        ("cytocause/link/near.py", "Doc.", "Other words.", (False, False, False)),
        ("cytocause/link/near.py", "    return", "    # why\n\n    return", (False, False, False)),
        ("cytocause/io/tables.py", "return 1", "return 3", (True, True, False)),
        ("cytocause/io/colours.py", "return 2", "return 3", (False, True, False)),
        ("cytocause/__init__.py", "'1'", "'2'", (False, False, False)),
        ("cytocause/io/__init__.py", "HOME = {", "HOME = {'new': 'tables', ", (False, False, False)),
        ("link.py", "link()\n", "link(); link()\n", (True, False, False)),
    ],
)
def test_an_edit_moves_the_hash_of_the_stages_that_run_it(tree, file, old, new, moved):
    before = hashes(tree)
    path = tree / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert tuple(a != b for a, b in zip(before, hashes(tree))) == moved


def test_a_touched_file_moves_nothing(tree):
    before = hashes(tree)
    for path in tree.rglob("*.py"):
        os.utime(path, (1, 1))
    assert hashes(tree) == before


def test_a_module_that_is_chosen_while_running_brings_its_whole_room(tree):
    (tree / "cytocause/link/near.py").write_text("import importlib\n\ndef near(name):\n    return importlib.import_module(name)\n")
    code_hash.cache_clear()
    assert "cytocause/link/steps.py" in names("link", tree)


def test_the_data_dictionary_counts_where_it_is_read(tmp_path):
    scripts = tmp_path / "scripts"
    files = {
        "write.py": "from cytocause.io.tables import write\nwrite()\n",
        "score.py": "import json\n",
        "cytocause/io/tables.py": "from cytocause.io.dictionary import unit\n\ndef write():\n    return unit\n",
        "cytocause/io/dictionary.py": "unit = 'um'\n",
        "../resources/data_dictionary.tsv": "name\tunit\narea_um2\tum2\n",
    }
    for name, text in files.items():
        (scripts / name).parent.mkdir(parents=True, exist_ok=True)
        (scripts / name).write_text(text)

    def both():
        code_hash.cache_clear()
        return code_hash("write", scripts), code_hash("score", scripts)

    before = both()
    (tmp_path / "resources/data_dictionary.tsv").write_text("name\tunit\narea_um2\tmm2\n")
    after = both()
    assert after[0] != before[0] and after[1] == before[1]


@pytest.mark.parametrize("stage", ["prepare", "track", "measure", "fate", "assemble"])
def test_the_stages_that_write_units_read_the_dictionary(stage):
    from cytocause.io.dictionary import PATH
    from cytocause.io.provenance import READS

    files = {path.relative_to(ROOT / "scripts").as_posix() for path in code_files(stage)}
    assert [ROOT / READS[name] for name in files if name in READS] == [PATH]


def test_a_stage_without_a_script_has_no_hash(tree):
    assert code_hash("nothing", tree) == "absent"


@pytest.mark.parametrize("stage", SCRIPTS)
def test_the_hash_covers_all_that_the_stage_imports(stage):
    """The files that are read for the hash, against sys.modules after the script's imports in a process of their own."""
    script = ROOT / "scripts" / f"{stage}.py"
    probe = (
        "import runpy, sys, json\n"
        f"sys.path.insert(0, {str(ROOT / 'scripts')!r})\n"
        "try:\n"
        f"    runpy.run_path({str(script)!r}, run_name='probe')\n"
        "except NameError as error:\n"  # a script may ask for its `snakemake` at once, after its imports
        "    assert error.name == 'snakemake', error\n"
        "print(json.dumps([m.__file__ for n, m in list(sys.modules.items()) if n.split('.')[0] == 'cytocause' and m.__file__]))\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = {Path(name) for name in json.loads(done.stdout.splitlines()[-1])}
    lazy = {path for path in loaded if path.name == "__init__.py" and "def __getattr__" in path.read_text()}
    root = {ROOT / "scripts/cytocause/__init__.py", ROOT / "scripts/cytocause/io/provenance.py"}
    assert loaded - lazy - root <= set(code_files(stage))


CALLER = """
import cytocause
from cytocause.demo.outer import outer
print(outer(1))
"""


@pytest.fixture
def demo(tmp_path):
    """(folder of a small package with a caller and a callee in two files, environment to run it in)."""
    package = tmp_path / "scripts" / "cytocause"
    for name in ("__init__.py", "io/__init__.py", "io/provenance.py"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text((ROOT / "scripts" / "cytocause" / name).read_text())
    demo = package / "demo"
    demo.mkdir()
    (demo / "__init__.py").write_text("")
    (demo / "inner.py").write_text("from numba import njit\n\n@njit(cache=True)\ndef inner(x):\n    return x + 1\n")
    (demo / "outer.py").write_text(
        "from numba import njit\nfrom .inner import inner\n\n@njit(cache=True)\ndef outer(x):\n    return inner(x) * 10\n"
    )
    env = {key: value for key, value in os.environ.items() if not key.startswith(("NUMBA", "CYTOCAUSE"))}
    env.update(PYTHONPATH=str(tmp_path / "scripts"), NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    return demo, env


def test_numba_imported_first_keeps_its_kernels_in_the_keyed_folder_too(demo, tmp_path):
    probe = "import numba\nimport cytocause, os\nfrom cytocause.demo.outer import outer\nprint(outer.stats.cache_path, os.environ['NUMBA_CACHE_DIR'])"
    done = subprocess.run([sys.executable, "-c", probe], env=demo[1], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    used, keyed = map(Path, done.stdout.split())
    assert keyed.parent == tmp_path / "cache" and keyed in used.parents


def test_an_edited_callee_gives_the_new_answer(demo, tmp_path):
    """numba's own index misses this edit: the compiled caller lies in a file that did not change."""
    demo, env = demo

    def answer():
        done = subprocess.run([sys.executable, "-c", CALLER], env=env, check=False, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr[-2000:]
        return int(done.stdout)

    assert answer() == 20
    assert len(list((tmp_path / "cache").iterdir())) == 1
    (demo / "inner.py").write_text((demo / "inner.py").read_text().replace("x + 1", "x + 2"))
    assert answer() == 30
    assert len(list((tmp_path / "cache").iterdir())) == 2
