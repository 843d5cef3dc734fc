"""docs/faults.md is in step with the tests that make it."""

import ast

from faults.table import DOCUMENT, HEAD, ROOT, rows_of


def recorded() -> list[list[str]]:
    """Rows that the tests would write; names of module constants are looked up."""
    rows = []
    for name in ("faults/test_faults.py", "faults/test_silence.py", "test_verify.py", "slurm/test_slurm.py"):
        file = ROOT / "tests" / name
        tree = ast.parse(file.read_text())
        texts = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "fault":
                rows.append([eval(compile(ast.Expression(text), file.name, "eval"), {}, texts) for text in node.args])
    return sorted(rows)


def test_the_document_has_a_row_for_each_fault_that_a_test_brings_about() -> None:
    assert DOCUMENT.read_text().startswith(HEAD)
    assert rows_of() == recorded()
