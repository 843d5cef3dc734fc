"""How the documentation is built: Sphinx, Markdown by MyST, everything offline. `make docs`."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_extensions"), str(HERE.parent / "src")]

from lightweights import __version__  # noqa: E402

project = "Lightweights"
author = "The Lightweights authors"
copyright = author
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "from_the_code"]
exclude_patterns = ["_extensions"]

myst_heading_anchors = 3

nitpicky = True
# Names of other packages, short ones in signatures, type variables.
nitpick_ignore_regex = [("py:.*", r"(?!lightweights\.).*|.*\.[PRT]|.*\.Annotated")]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_use_unqualified_type_names = True
add_module_names = False

html_theme = "furo"
html_title = "Lightweights"
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
