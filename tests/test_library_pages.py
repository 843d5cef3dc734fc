"""The pages on the library: their examples run as written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from houses import ROOT

pytestmark = pytest.mark.whole


@pytest.mark.parametrize("page", ["library", "adapters_howto"])
def test_examples_in_the_pages_run(page: str, tmp_path: Path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / f"docs/{page}.md").read_text(), re.DOTALL)
    assert blocks
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", "\n".join(blocks)], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
