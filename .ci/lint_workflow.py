"""`snakemake --lint` less one finding that does not apply: software belongs to the whole workflow (requirements.lock), not to a rule."""

import subprocess
import sys

ELSEWHERE = "* Specify a conda environment or container for each rule.:"

linted = subprocess.run(["snakemake", "--lint"], capture_output=True, text=True)
lines = linted.stderr.splitlines()
findings, place = [], None
for line in lines:
    if line.startswith("Lints for "):
        place = line
    elif place and line.startswith("    * ") and line.strip() != ELSEWHERE:
        findings.append(f"{place} {line.strip()}")
if findings:
    sys.exit("\n".join(findings))
if linted.returncode and place is None:
    sys.exit(linted.stderr)
print("snakemake --lint: no findings")
