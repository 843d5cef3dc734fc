"""The names that the package promises: there, few, and without the price of torch until one is asked for."""

import re
import subprocess
import sys

from houses import ROOT

import lightweights


def test_all_names_are_there_and_few():
    assert len(lightweights.__all__) <= 18
    for name in lightweights.__all__:
        assert getattr(lightweights, name) is not None
    assert set(lightweights.__all__) <= set(dir(lightweights))


def test_importing_the_package_imports_nothing_heavy():
    program = "import sys, lightweights; print(sorted({'torch', 'pandas', 'pydantic'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_functions_stay_functions_whatever_is_imported():
    import lightweights.fitting
    import lightweights.saved

    assert callable(lightweights.fit)
    assert callable(lightweights.load)


def test_pages_and_examples_import_from_the_top_what_is_there():
    texts = [*ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.py"), *ROOT.glob("notebooks/*.ipynb"), ROOT / "README.md"]
    deep = [
        (file.name, name)
        for file in texts
        for names in re.findall(r"from lightweights\.[\w.]+ import ([\w, ]+)", file.read_text())
        for name in re.findall(r"\w+", names)
        if name in lightweights.__all__ and (file.name, name) != ("own_data.md", "load")  # of a data set
    ]
    assert not deep
