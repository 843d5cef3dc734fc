"""The benchmarks' contestants compute the same, and the reports say what was measured. No time is asserted."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from lightweights.distillation.feature import expected_histograms
from lightweights.mapping import MPS
from lightweights.networks.dictionary import DictionaryConv2d
from lightweights.networks.teacher import build_student, matched_widths, trained_counts
from lightweights.photonics import Circuit
from lightweights.photonics.time_bin import TimeBin

perceval = pytest.importorskip("perceval")
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the benchmarks are not part of the installed package

from benchmarks import distillation, peers, report, steps, timing  # noqa: E402


@pytest.fixture(scope="module")
def quick(tmp_path_factory) -> Path:
    """Results of a smoke run in a process of its own, as a user starts it."""
    folder = tmp_path_factory.mktemp("benchmarks")
    command = [sys.executable, "-m", "benchmarks", "--quick", "--out", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.whole
def test_every_contestant_of_a_smoke_run_computes_what_ours_computes(quick):
    table = pd.read_csv(quick / "benchmarks.csv")
    assert {"probabilities", "noisy probabilities", "mapping", "training step"} <= set(table.benchmark)
    assert {"COBYLA's function", "phases' Adam step"} <= set(table.benchmark)
    for (benchmark, setting), rows in table.groupby(["benchmark", "setting"], sort=False):
        assert rows.iloc[0].contestant == "ours" and rows.iloc[0].ratio_to_ours == 1, (benchmark, setting)
        others = rows.iloc[1:]
        if not benchmark.startswith(("large", "COBYLA evaluation")):
            assert len(others) and (others.deviation < timing.TOLERANCE).all(), (benchmark, setting)
    assert (table.q1_ms <= table.median_ms).all() and (table.median_ms <= table.q3_ms).all() and (table.repeats >= 1).all()


@pytest.mark.whole
def test_distillation_has_results_of_its_own_and_its_peer_computes_what_ours_computes(quick):
    table = pd.read_csv(quick / "distillation.csv")
    for benchmark in distillation.OF_IMAGES:
        for precision in distillation.PRECISIONS:
            rows = table[(table.benchmark == benchmark) & (table.setting == f"cpu, {precision}")].set_index("contestant")
            assert rows.index[0] == "ours" and len(rows) == 5 and rows.deviation[distillation.EINSUM] < timing.TOLERANCE
    assert {"photonic feature", "mixing tensors"} <= set(table.benchmark)
    assert "| target |" not in (quick / "distillation.md").read_text()


def test_work_on_images_is_reported_in_images_a_second():
    step = (distillation.TRAINING, "cpu, float32")
    rows = [timing.summarise(*step, "ours", [0.5], [0.5]), timing.summarise(*step, "the teacher", [1.0], [0.5])]
    text = report.markdown(report.table_of(rows), [], [])
    assert "| images a second (time, times ours) | cpu, float32 |" in text
    assert "| ours | 2,000 |" in text and "| the teacher | 1,000 (2.00) |" in text


@pytest.mark.whole
def test_report_names_versions_and_processor_but_no_host(quick):
    text = (quick / "benchmarks.md").read_text()
    assert f"torch {torch.__version__}" in text and "perceval-quandela 1." in text and "Processor: " in text
    assert platform.node() not in text and str(ROOT) not in text


@pytest.mark.parametrize("make", [peers.perceval_rebuilt, peers.perceval_parametrised, peers.perceval_backend])
def test_each_way_with_perceval_follows_the_phases_to_double_precision(make):
    circuit = Circuit(5, 3)
    evaluate, generator = make(circuit), timing.seeded(0)
    for phases in (circuit.random_phases(generator, torch.float64) for _ in range(2)):
        torch.testing.assert_close(evaluate(phases), circuit(phases), rtol=0, atol=1e-13)


@pytest.mark.parametrize(("bond_dim", "weight_count"), [(1, 2), (2, 17), (3, 64), (4, 100)])
def test_site_by_site_contraction_equals_the_factorised_mapping_in_values_and_gradients(bond_dim, weight_count):
    mapping = MPS(bond_dim, init_std=0.3).build(weight_count, timing.seeded(1)).double()
    probabilities = torch.rand(weight_count, generator=timing.seeded(2), dtype=torch.float64)
    ours, theirs = mapping(probabilities), peers.site_by_site(mapping, peers.bit_inputs(mapping), probabilities)
    torch.testing.assert_close(theirs, ours, rtol=1e-11, atol=1e-12)
    parameters = list(mapping.parameters())
    gradients = [torch.autograd.grad(weights.square().sum(), parameters) for weights in (ours, theirs)]
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-9, atol=1e-10)


def test_einsum_layer_equals_the_dictionary_convolution_in_values_and_gradients():
    layer = DictionaryConv2d(2, 3, 5, rank=4, padding=2, feature_size=8, generator=timing.seeded(0)).double()
    layer.set_feature(torch.randn(8, generator=timing.seeded(1)))
    images = torch.rand(2, 2, 7, 7, generator=timing.seeded(2), dtype=torch.float64)
    ours, theirs = layer(images), peers.EinsumConv2d(layer)(images)
    torch.testing.assert_close(theirs, ours)
    gradients = [torch.autograd.grad(output.square().sum(), (layer.basis, layer.bias)) for output in (ours, theirs)]
    torch.testing.assert_close(gradients[1], gradients[0])


def test_percevals_samples_have_the_histograms_of_the_interferometer():
    perceval.random_seed(0)
    circuit = TimeBin(modes=6)
    theta = circuit.random_angles(timing.seeded(3))
    found = peers.perceval_histograms(circuit, theta, 20_000)
    torch.testing.assert_close(found, expected_histograms(circuit.columns(theta)), rtol=0, atol=0.02)


def test_plain_network_has_as_many_parameters_as_the_student():
    student = build_student(distillation.SHAPE, distillation.CLASSES, generator=timing.seeded(0))
    angles = TimeBin().angle_count
    counts = trained_counts(student, angles)
    assert matched_widths(counts["all_with_theta"], distillation.SHAPE, distillation.CLASSES) == distillation.MATCHED_WIDTHS


def test_a_contestant_that_computes_something_else_is_found_before_timing():
    right, wrong = torch.ones(3), torch.tensor([1.0, 1.0, 1.01])
    never = lambda: pytest.fail("timed before the values were compared")  # noqa: E731
    contestants = [timing.Contestant("ours", never, lambda: right), timing.Contestant("other", never, lambda: wrong)]
    with pytest.raises(timing.DisagreementError, match=r"kernel, small: other differs from ours by 1\.0e-02"):
        timing.Race("kernel", "small", contestants, rounds=1).run()


def test_race_gives_medians_for_one_piece_of_work_and_ratios_round_by_round(monkeypatch):
    """A clock that only the contestants move."""
    clock = [0.0]

    def spend(seconds):
        def run():
            clock[0] += seconds

        return run

    monkeypatch.setattr(timing.time, "process_time", lambda: clock[0])
    contestants = [timing.Contestant("ours", spend(0.020)), timing.Contestant("other", spend(0.120), work=2)]
    ours, other = timing.Race("kernel", "small", contestants, rounds=5).run()
    assert (ours.median_ms, ours.repeats, ours.ratio_to_ours) == (pytest.approx(20), 5, 1)
    assert (other.median_ms, other.ratio_to_ours) == (pytest.approx(60), pytest.approx(3))


def test_ratio_is_of_the_same_round_when_the_machine_slows_down():
    ours, other = [1.0, 10.0, 2.0], [2.0, 20.0, 4.0]
    row = timing.summarise("kernel", "small", "other", other, ours)
    assert (row.median_ms, row.q1_ms, row.q3_ms, row.ratio_to_ours, row.repeats) == (4, 3, 12, 2, 3)


def table_of_results(ours: float, cnn: float, authors: float, cobyla: float, peak: float) -> pd.DataFrame:
    step = ("training step", "bond_dim=10")
    rows = [
        timing.summarise(*step, "ours", [ours], [ours]),
        timing.summarise(*step, steps.CNN_ALONE, [cnn], [ours]),
        timing.summarise(*step, steps.AUTHORS, [authors], [ours]),
        timing.summarise("COBYLA evaluation, SciPy included", "192 phases", "ours", [cobyla], [cobyla]),
        timing.summarise("large circuit", "M=16, N=8, forward + backward", "ours", [9.0], [9.0], peak_mib=peak),
    ]
    return report.table_of(rows)


def test_targets_are_judged_by_the_results():
    good = report.targets(table_of_results(ours=10, cnn=7, authors=100, cobyla=30, peak=2048))
    assert [target.met for target in good] == [True, True, True, True]
    assert [target.measured for target in good] == ["3.0 ms more", "10.0 times", "30.0 ms", "2,048 MiB"]
    bad = report.targets(table_of_results(ours=10, cnn=6.9, authors=99, cobyla=30.1, peak=2049))
    assert [target.met for target in bad] == [False, False, False, False]


def test_unknown_peak_memory_is_not_judged():
    assert len(report.targets(table_of_results(10, 7, 100, 30, peak=float("nan")))) == 3


def test_missing_extra_is_named_with_its_remedy(tmp_path):
    (tmp_path / "perceval.py").write_text("raise ModuleNotFoundError(\"No module named 'perceval'\", name='perceval')\n")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "benchmarks", "--quick", "--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 1 and "lightweights[photonics]" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
