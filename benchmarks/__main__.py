"""Measure Lightweights against Perceval, MerLin and plain ways to do the same: ``python -m benchmarks`` in the repository's root.

Writes to benchmarks/results: of Quantum-Train benchmarks.csv and benchmarks.md, of photonic distillation distillation.csv and
distillation.md, of this edition beside an earlier one, in whole processes, editions.csv and editions.md. ``python -m benchmarks
distillation`` measures that alone, and so do ``quantum_train`` and ``editions``. ``--quick`` repeats little, on small sizes, and leaves
the editions out: it shows that all contestants run and agree, its times mean nothing. MerLin takes part if it is installed. See
docs/benchmarks.md.
"""

import argparse
import os
import sys
from pathlib import Path


def main() -> None:
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"  # read when numpy and torch are loaded, so the imports come after it
    from benchmarks import editions

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("method", nargs="?", choices=("quantum_train", "distillation", "editions"), help="what is measured (default: all)")
    parser.add_argument("--quick", action="store_true", help="a smoke test: few repeats, small sizes")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="folder of the results (default: %(default)s)")
    parser.add_argument("--before", default=editions.BEFORE, metavar="COMMIT", help="the earlier edition (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=2, help="how often both editions have their turn (default: %(default)s)")
    arguments = parser.parse_args()

    try:
        import perceval  # noqa: F401
    except ModuleNotFoundError:
        sys.exit('The benchmarks compare with Perceval, which is not installed: pip install "lightweights[photonics]"')
    import torch

    from benchmarks import distillation, kernels, large, noise, report, steps
    from benchmarks.effort import FULL, QUICK
    from lightweights.files import write_atomic

    torch.set_num_threads(1)
    effort = QUICK if arguments.quick else FULL
    kernel_races = (kernels.probability_races, noise.noise_races, kernels.mapping_races)
    methods = {
        "quantum_train": ("benchmarks", (*kernel_races, steps.step_races, steps.cobyla_races, steps.phase_races)),
        "distillation": ("distillation", (distillation.distillation_races,)),
    }
    for method in [name for name in methods if arguments.method in (None, name)]:
        name, kinds = methods[method]
        before = os.getloadavg()
        rows = []
        for races in kinds:
            for race in races(effort):
                print(f"{race.benchmark}, {race.setting}", file=sys.stderr)
                rows += race.run()
        if method == "quantum_train":
            print("large sizes", file=sys.stderr)
            rows += large.large_rows(effort)
        table = report.table_of(rows)
        judged = report.targets(table) + noise.noise_targets(table) if method == "quantum_train" else []
        facts = report.environment(before, os.getloadavg(), os.cpu_count() or 1)
        write_atomic(arguments.out / f"{name}.csv", table.to_csv(index=False, float_format="%.4g"))
        text = report.markdown(table, facts, judged)
        write_atomic(arguments.out / f"{name}.md", text)
        print(text)
    if arguments.method == "editions" or (arguments.method is None and not arguments.quick):
        before = os.getloadavg()
        table = editions.measured(arguments.before, arguments.pairs)
        facts = report.environment(before, os.getloadavg(), os.cpu_count() or 1)
        write_atomic(arguments.out / "editions.csv", table.to_csv(index=False, float_format="%.4g"))
        text = editions.markdown(table, arguments.before, facts)
        write_atomic(arguments.out / "editions.md", text)
        print(text)


if __name__ == "__main__":
    main()
