"""Series and text as data sets: made, checked, kept, and named by settings as images are."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from lightweights.datasets import (
    DataError,
    Series,
    SeriesSplit,
    Text,
    TextSplit,
    digest,
    from_tensors,
    series_from_arrays,
    shape_of,
    text_from_tokens,
    to_tensors,
    windows,
)
from lightweights.datasets import load as load_data
from lightweights.settings.dataset import DatasetSection

INPUTS, TARGETS = np.random.default_rng(0).normal(size=(12, 4, 2)), np.arange(12.0)[:, None]
ROWS, LABELS = [[3, 1, 2], [4], [1, 1]], [0, 2, 1]


def series() -> Series:
    return series_from_arrays("waves", (INPUTS, TARGETS), {"validation": (INPUTS[:3], TARGETS[:3]), "test": (INPUTS[3:5], TARGETS[3:5])})


def text() -> Text:
    return text_from_tokens("words", 5, 3, 4, (ROWS, LABELS), {"test": (ROWS[:2], LABELS[:2])})


def test_a_series_keeps_cases_steps_and_features_in_their_order() -> None:
    made = series()
    assert (made.input_shape, made.outputs, list(made.tests), len(made.train)) == ((4, 2), 1, ["validation", "test"], 12)
    assert torch.equal(made.tests["test"].inputs, torch.tensor(INPUTS[3:5], dtype=torch.float32))
    assert made.train.targets.flatten().tolist() == list(range(12))


def test_windows_are_followed_by_what_they_ask_for() -> None:
    points = np.arange(10) ** 2
    inputs, targets = windows(points, 4)
    assert inputs.shape == (6, 4, 1) and targets.shape == (6, 1)
    for start in range(6):
        assert inputs[start, :, 0].tolist() == points[start : start + 4].tolist()
        assert targets[start, 0] == points[start + 4]
    both = np.stack([points, -points], axis=1)
    inputs, targets = windows(both, 3, outputs=(1, 0))
    assert inputs[2].tolist() == both[2:5].tolist() and targets[2].tolist() == both[5, ::-1].tolist()
    for wrong in (0, 10):
        with pytest.raises(DataError, match=f"have no windows of {wrong} points"):
            windows(points, wrong)


@pytest.mark.parametrize(
    ("inputs", "targets", "said"),
    [
        (INPUTS[:, :, 0], TARGETS, "one feature is an axis of length 1"),
        (INPUTS, TARGETS[:, 0], "one output"),
        (INPUTS[:-1], TARGETS, r"inputs of shape \(11, 4, 2\) and targets of shape \(12, 1\)"),
        (INPUTS.transpose(1, 0, 2), TARGETS, "the axis of 12 cases must be the first"),
        (np.where(INPUTS > 1, np.nan, INPUTS), TARGETS, "are not finite"),
        (INPUTS * 1e60, TARGETS, "are too large for float32"),
        (INPUTS.astype(complex), TARGETS, "complex128 is no type of real numbers"),
        (INPUTS.astype(str), TARGETS, "is no type of real numbers"),
        ([[[1.0], [2.0, 3.0]]], TARGETS, "not an array of numbers"),
        (np.ma.masked_greater(INPUTS, 1), TARGETS, "not an array of numbers.*some are masked"),
        (INPUTS[:0], TARGETS[:0], r"inputs of shape \(0, 4, 2\)"),
    ],
)
def test_arrays_that_are_no_series_are_refused(inputs: object, targets: object, said: str) -> None:
    with pytest.raises(DataError, match=said):
        series_from_arrays("waves", (inputs, targets), {"test": (INPUTS, TARGETS)})


def test_splits_of_one_series_ask_the_same_question() -> None:
    with pytest.raises(DataError, match=r"splits differ in \(steps, features\) or outputs: .*'test': \(\(3, 2\), 1\)"):
        series_from_arrays("waves", (INPUTS, TARGETS), {"test": (INPUTS[:, :3], TARGETS)})
    with pytest.raises(DataError, match="no cases to test on"):
        series_from_arrays("waves", (INPUTS, TARGETS), {})


def test_texts_are_filled_up_and_padding_is_masked() -> None:
    made = text()
    assert made.train.tokens.tolist() == [[3, 1, 2, 0], [4, 0, 0, 0], [1, 1, 0, 0]]
    assert made.train.mask.sum(1).tolist() == [3, 1, 2] and made.train.mask[:, 0].all()
    assert (made.input_shape, made.outputs, made.vocabulary) == ((4,), 3, 5)


@pytest.mark.parametrize(
    ("rows", "labels", "said"),
    [
        (ROWS, LABELS[:2], "3 texts and 2 labels"),
        ([], [], "0 texts"),
        ([[1, 5]], [0], "text 0 has no token, or one that is not 1 to 4"),
        ([[1.5, 2]], [0], "text 0 has no token, or one that is not 1 to 4"),
        ([[0, 1]], [0], "text 0 has no token, or one that is not 1 to 4"),
        ([[1], []], [0, 1], "text 1 has no token"),
        ([[1, 1, 1, 1, 1]], [0], "text 0 has 5 tokens, a row 4"),
        (ROWS, [0, 1, 3], "labels from 0 to 3, expected 0 to 2"),
        (ROWS, [0, 1, -1], "labels from -1 to 1"),
        (ROWS, [0, 1, 1.5], "labels are not all whole numbers"),
        (ROWS, ["a", "b", "c"], "labels are not all whole numbers"),
    ],
)
def test_what_is_no_text_is_refused(rows: list, labels: list, said: str) -> None:
    with pytest.raises(DataError, match=said):
        text_from_tokens("words", 5, 3, 4, (rows, labels), {"test": (ROWS, LABELS)})


def test_a_third_array_beside_rows_and_labels_is_refused() -> None:
    with pytest.raises(DataError, match="expected a pair, rows of tokens and labels"):
        text_from_tokens("words", 5, 3, 4, (ROWS, LABELS, LABELS), {"test": (ROWS, LABELS)})  # type: ignore[arg-type]


@pytest.mark.parametrize("outputs", [(), (2,), (-1,)])
def test_features_to_tell_that_a_series_has_not_are_refused(outputs: tuple) -> None:
    with pytest.raises(DataError, match="expected some of the features 0 to 1"):
        windows(INPUTS[0], 2, outputs)


def test_a_text_is_cut_only_where_that_is_asked_for() -> None:
    made = text_from_tokens("words", 5, 3, 2, (ROWS, LABELS), {"test": (ROWS, LABELS)}, cut=True)
    assert made.train.tokens.tolist() == [[3, 1], [4, 0], [1, 1]]


@pytest.mark.parametrize("made", [series(), text()], ids=["series", "text"])
def test_they_survive_a_safetensors_file_and_any_change_is_seen(made: Series | Text) -> None:
    tensors, metadata = to_tensors(made)
    back = from_tensors(load(save(tensors)), metadata)
    assert type(back) is type(made) and digest(back) == digest(made) and list(back.tests) == list(made.tests)
    assert all(torch.equal(tensors[name], value) for name, value in to_tensors(back)[0].items())
    for name in tensors:
        changed = tensors[name].clone()
        changed.view(-1)[0] = ~changed.view(-1)[0] if changed.dtype == torch.bool else changed.view(-1)[0] + 1
        with pytest.raises(DataError, match=r"prepare the data anew|is missing or unreadable"):
            from_tensors(tensors | {name: changed}, metadata)
        with pytest.raises(DataError, match=r"prepare the data anew|is missing or unreadable"):
            from_tensors({key: value for key, value in tensors.items() if key != name}, metadata)
    with pytest.raises(DataError, match=r"tests\.extra\.labels belongs to no split"):
        from_tensors(tensors | {"tests.extra.labels": torch.zeros(2)}, metadata)


@pytest.mark.parametrize("change", [('"words"', '"names"'), ('"classes": 3', '"classes": 4'), ('"vocabulary": 5', '"vocabulary": 6')])
def test_a_changed_name_or_count_is_seen(change: tuple[str, str]) -> None:
    tensors, metadata = to_tensors(text())
    assert change[0] in metadata["dataset"]
    with pytest.raises(DataError, match="what is said of its name and counts is not what was written"):
        from_tensors(tensors, {"dataset": metadata["dataset"].replace(*change)})


def test_a_mask_with_holes_and_tokens_behind_it_are_refused() -> None:
    made = text()
    for tokens, mask, said in (
        (made.train.tokens, made.train.mask.flip(1), "a mask that is not true from the first token"),
        (made.train.tokens + 1 - made.train.mask.int(), made.train.mask, "tokens other than 0 where the mask is false"),
    ):
        wrong = Text("words", 3, 5, TextSplit(tokens.int(), mask, made.train.labels), made.tests)
        with pytest.raises(DataError, match=said):
            from_tensors(*to_tensors(wrong))


def test_settings_name_a_series_or_a_text_by_its_factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "series_for_tests.py").write_text(
        "import numpy as np\nfrom lightweights.datasets import series_from_arrays, windows\n"
        "def sine(points=40, steps=4):\n"
        "    cases = windows(np.sin(np.arange(points)), steps)\n"
        "    first, last = (tuple(part[a:b] for part in cases) for a, b in ((0, 20), (20, None)))\n"
        "    return series_from_arrays('sine', first, {'test': last})\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = DatasetSection(name="series_for_tests:sine", arguments={"steps": 5})
    made = load_data(settings)
    assert isinstance(made, Series) and isinstance(made.train, SeriesSplit)
    assert shape_of(settings) == ((5, 1), 1) and len(made.tests["test"]) == 15
    assert torch.allclose(made.train.targets[:, 0], torch.sin(torch.arange(5.0, 25.0)), atol=1e-6)
