"""The examples, in their short form: they run as written, learn, and count what they train."""

import math
import os
import re
import subprocess
import sys

import pytest
from houses import ROOT

pytestmark = pytest.mark.whole

PERCENT = r"([\d.]+) %"


def said(name: str, *words: str) -> str:
    """What an example prints."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "src")}
    script = [sys.executable, f"examples/{name}.py", "--quick", *words]
    done = subprocess.run(script, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def numbers(pattern: str, text: str) -> list[float]:
    found = re.search(pattern, text)
    assert found, text
    return [float(number) for number in found.groups()]


def mapping_size(weights: int, bond_dim: int, parameters: int) -> int:
    """Two cores for each bit of the index and for the last site, two biases, and the output core, all bond_dim x bond_dim; and a gate for
    each parameter of the module.
    """
    return (2 * (math.ceil(math.log2(weights)) + 1) + 3) * bond_dim**2 + parameters


def phases_of(*modes: int) -> int:
    """Three phases a crossing, in M - 1 layers of crossings that begin at the first and the second mode in turn."""
    return 3 * sum((m - layer % 2) // 2 for m in modes for layer in range(m - 1))


@pytest.mark.parametrize(
    ("name", "weights", "parameters", "bond_dim", "modes", "margin"),
    [
        # Attention 3 x 32 x 32 + 96 and 32 x 32 + 32, feed-forward 2 x 32 x 64 + 96, pages 3 x 32 + 3; vectors and norms are kept.
        ("text_classifier", 4 * 32 * 32 + 128 + 2 * 32 * 64 + 96 + 99, 10, 4, (9, 8), 20),
        ("own_images", 64 * 32 + 32 + 32 * 10 + 10, 4, 5, (8, 7), 40),
    ],
)
def test_generated_classifiers_beat_chance_and_count_what_they_train(
    name: str, weights: int, parameters: int, bond_dim: int, modes: tuple[int, ...], margin: float
):
    text = said(name)
    (chance,) = numbers(f"chance is {PERCENT}", text)
    plain_size, plain = numbers(rf"trained directly: +(\d+) parameters, {PERCENT}", text)
    size, generated = numbers(rf"generated: +(\d+) parameters, {PERCENT}", text)
    mapping, phases = mapping_size(weights, bond_dim, parameters), phases_of(*modes)
    assert plain_size == weights
    assert size == mapping + phases
    assert f"{mapping} are the mapping's and {phases} phases" in text
    assert min(plain, generated) > chance + margin


def test_generated_lstm_foretells_better_than_a_line_through_two_values():
    text = said("damped_oscillator")
    (line,) = numbers(r"line through the last two: +([\d.]+)", text)
    weights, plain = numbers(r"LSTM, (\d+) trained directly: +([\d.]+)", text)
    size, generated = numbers(r"generated from +(\d+): +([\d.]+)", text)
    assert weights == 4 * 16 * (1 + 16 + 2) + 17
    assert size == mapping_size(1233, 4, 6) + phases_of(8, 7)
    assert max(plain, generated) < line / 2


def test_dictionary_blocks_learn_with_a_tenth_of_the_parameters():
    text = said("resnet_block")
    stem_norms_and_classes = 9 * 16 + 16 + 4 * 2 * 16 + 64 * 10 + 10
    size, accuracy = numbers(rf"plain convolutions: +(\d+) trained parameters, {PERCENT}", text)
    assert size == stem_norms_and_classes + 4 * (9 * 16 * 16 + 16)
    assert accuracy > 70
    for name in ("photonic feature", "fixed random vector"):
        size, accuracy = numbers(rf"{name}: +(\d+) trained parameters, {PERCENT}", text)
        assert size == stem_norms_and_classes + 4 * (4 * 9 + 16)
        assert accuracy > 50


def test_a_users_own_file_is_read(tmp_path):
    rows = [f"{label},{255 * label},{255 - 255 * label},0,0" for label in (0, 1) * 40]
    (tmp_path / "two.csv").write_text("\n".join(["label,a,b,c,d", *rows]))
    text = said("own_images", "--file", str(tmp_path / "two.csv"), "--height", "2", "--width", "2")
    assert "two: 60 images to train on, 20 to test on" in text


def test_photons_adapt_a_transformer_better_than_its_head_alone():
    text = said("adapters")
    (chance,) = numbers(f"chance is {PERCENT}", text)
    head, _ = numbers(rf"head alone: +(\d+) trained numbers, {PERCENT}", text)
    lora, lora_right = numbers(rf"LoRA: +(\d+) trained numbers, {PERCENT}", text)
    photons, right = numbers(rf"photons: +(\d+) trained numbers, {PERCENT}", text)
    # In each of two layers in_proj (96, 32), out_proj (32, 32) and linear1 (64, 32) at rank 4, each with a gate.
    assert lora == head + 2 * 4 * ((96 + 32) + (32 + 32) + (64 + 32)) + 6
    assert head < photons < lora
    assert min(lora_right, right) > chance + 5


def test_noisy_devices_and_a_backend_train_the_same_network():
    text = said("devices")
    (perfect,) = numbers(rf"perfect devices: +{PERCENT}", text)
    (noisy,) = numbers(rf"noise: +{PERCENT}", text)
    (counted,) = numbers(rf"100,000 cycles: +{PERCENT}", text)
    assert min(perfect, noisy, counted) > 70
    assert re.search(r"Perceval(, a round late)?:", text)
