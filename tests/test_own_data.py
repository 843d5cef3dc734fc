"""Data sets of one's own: from arrays, CSV and NPZ files, and importable functions named by the settings."""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lightweights.datasets import DataError, digest, from_arrays, load, own, shape_of
from lightweights.settings.dataset import DatasetSection
from lightweights.settings.study import Study, parse_study
from lightweights.study.layout import data_file

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 2, 3, 4), dtype=np.uint8)
LABELS = np.arange(40) % 4


def written_csv(path: Path, images: np.ndarray = IMAGES, labels: np.ndarray = LABELS) -> Path:
    pixels = images.reshape(len(images), -1)
    header = ",".join(["kind", *(f"p{i}" for i in range(pixels.shape[1]))])
    np.savetxt(path, np.column_stack([labels, pixels]), fmt="%d", delimiter=",", header=header, comments="")
    return path


def test_csv_gives_back_the_images_that_were_written(tmp_path: Path):
    train = written_csv(tmp_path / "train.csv")
    test = written_csv(tmp_path / "test.csv", IMAGES[::-1], LABELS[::-1])
    dataset = own.csv(str(train), 3, 4, channels=2, label="kind", test_file=str(test))
    assert torch.equal(dataset.train.images, torch.from_numpy(IMAGES))
    assert dataset.train.labels.tolist() == LABELS.tolist()
    assert torch.equal(dataset.tests["test"].images, torch.from_numpy(IMAGES[::-1].copy()))
    assert (dataset.name, dataset.classes, dataset.input_shape) == ("train", 4, (2, 3, 4))


def test_held_out_images_keep_the_classes_in_proportion_and_are_never_trained_on(tmp_path: Path):
    dataset = own.csv(str(written_csv(tmp_path / "all.csv")), 3, 4, 2, "kind", test_fraction=0.2, split_seed=5)
    assert np.bincount(dataset.tests["test"].labels).tolist() == [2, 2, 2, 2]
    everything = torch.cat([dataset.train.images, dataset.tests["test"].images]).flatten(1)
    assert sorted(everything.tolist()) == sorted(IMAGES.reshape(40, -1).tolist())


def test_npz_takes_its_own_test_images_or_holds_some_out(tmp_path: Path):
    np.savez(tmp_path / "both.npz", images=IMAGES, labels=LABELS, test_images=IMAGES[:4], test_labels=LABELS[:4])
    np.savez(tmp_path / "one.npz", images=IMAGES, labels=LABELS)
    assert torch.equal(own.npz(str(tmp_path / "both.npz")).tests["test"].images, torch.from_numpy(IMAGES[:4]))
    assert len(own.npz(str(tmp_path / "one.npz"), test_fraction=0.5).train) == 20


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (IMAGES / 255, LABELS, "pixels are not all whole numbers from 0 to 255"),
        (IMAGES.astype(int) - 1, LABELS, "pixels are not all whole numbers"),
        (np.full(IMAGES.shape, np.nan), LABELS, "pixels are not all whole numbers"),
        (IMAGES, LABELS - 1, "labels are not all whole numbers from 0 to 999999"),
        (IMAGES, LABELS[:-1], r"labels of shape \(39,\)"),
        (IMAGES.reshape(40, -1), LABELS, r"images of shape \(40, 24\)"),
        (IMAGES[:0], LABELS[:0], r"images of shape \(0, 2, 3, 4\)"),
    ],
)
def test_arrays_that_are_no_images_are_refused(images: np.ndarray, labels: np.ndarray, said: str):
    with pytest.raises(DataError, match=said):
        from_arrays("toy", (images, labels), {"test": (IMAGES, LABELS)})


def test_a_test_label_that_training_has_not_is_refused():
    with pytest.raises(DataError, match="test: labels are not all whole numbers from 0 to 2"):
        from_arrays("toy", (IMAGES[:3], LABELS[:3]), {"test": (IMAGES, LABELS)})


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda path: own.csv(str(path / "none.csv"), 3, 4), "none.csv: cannot be read"),
        (lambda path: own.csv(str(written_csv(path / "a.csv")), 3, 4, 2), "no column 'label'; the first columns are kind, p0"),
        (lambda path: own.csv(str(written_csv(path / "a.csv")), 5, 5, label="kind"), r"24 columns .* have 25 pixels"),
        (lambda path: own.npz(str(written_csv(path / "a.csv"))), "a.csv: cannot be read as an NPZ file"),
    ],
)
def test_files_that_hold_something_else_are_named(tmp_path: Path, call, said: str):
    with pytest.raises(DataError, match=said):
        call(tmp_path)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a fresh module in the working folder, with a factory ``load(count)`` and one that gives no data set."""
    name = f"data_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(
        "import numpy as np\nfrom lightweights.datasets import from_arrays\n"
        "def load(count=8):\n    part = np.zeros((count, 5, 6)), np.arange(count) % 3\n"
        "    return from_arrays('toy', part, {'test': part})\n"
        "def nothing():\n    return [1, 2]\n"
    )
    monkeypatch.chdir(tmp_path)
    return name


def test_settings_name_a_factory_and_its_arguments(module: str):
    settings = DatasetSection(name=f"{module}:load", arguments={"count": 12})
    assert (len(load(settings).train), shape_of(settings)) == (12, ((1, 5, 6), 3))


def test_data_that_changed_under_its_digest_is_refused(module: str):
    known = digest(load(DatasetSection(name=f"{module}:load")))
    assert len(load(DatasetSection(name=f"{module}:load", sha256=known)).train) == 8
    with pytest.raises(DataError, match=f"{known}, dataset.sha256 is {'0' * 64}"):
        load(DatasetSection(name=f"{module}:load", sha256="0" * 64))


@pytest.mark.parametrize(
    ("factory", "arguments", "said"),
    [
        ("nothing", None, "gave list; expected a data set"),
        ("load", {"counts": 3}, r"arguments \{'counts': 3\}: load\(\) got an unexpected keyword argument"),
        ("absent", None, "cannot be imported"),
    ],
)
def test_factories_that_fail_are_named(module: str, factory: str, arguments: dict | None, said: str):
    with pytest.raises(ValueError if factory == "absent" else DataError, match=said):
        load(DatasetSection(name=f"{module}:{factory}", arguments=arguments))


def study_of(**sections: dict) -> Study:
    experiments = {name: {"method": "classical", "seeds": [0]} for name in ("one", "two")}
    return parse_study({"experiments": experiments, **sections})


def test_new_settings_are_no_part_of_the_identity_of_runs_that_do_not_use_them():
    settings = study_of().runs()[0].settings.plain()
    assert settings["dataset"] == {"name": "mnist-partial", "test_fraction": 0.25, "split_seed": 0}


def test_a_factorys_name_makes_a_file_name():
    assert data_file(study_of(), "mine.data:load").name == "mine-data-load.safetensors"


def test_a_study_is_made_of_the_experiments_it_names():
    assert [run.experiment for run in study_of(study={"only": ["two"]}).runs()] == ["two"]
    with pytest.raises(ValueError, match=r"study\.only names three; there are one, two"):
        study_of(study={"only": ["three"]})


# Nothing is dropped, cut or ignored in silence


def of_arrays(images: object, labels: object, **named: int):
    return from_arrays("toy", (images, labels), {"test": (IMAGES, LABELS)}, **named)


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (
            IMAGES,
            np.where(LABELS > 1, 90210, 10001),
            "no training image is of class 0, but labels go up to 90210; number the 2 classes from 0",
        ),
        (IMAGES, LABELS + 1, "no training image is of class 0, but labels go up to 4; number the 4 classes from 0 to 3"),
        (IMAGES, np.where(LABELS == 2, 3, LABELS), "no training image is of class 2"),
        (IMAGES, LABELS * 1e300, "labels are not all whole numbers"),
        (IMAGES, LABELS + 0.5, "labels are not all whole numbers"),
        (IMAGES, np.array(list("abcd"))[LABELS], "labels are text; number them from 0"),
        (IMAGES, np.array(list("abcd"), object)[LABELS], "labels are text; number them from 0"),
        (IMAGES.astype(str), LABELS, "pixels are not all whole numbers"),
        ([[[1, 2], [3]]], [0], "are not arrays of numbers"),
        (np.zeros((40, 16, 16, 3)), LABELS, r"channels last, it seems; move them first: images.transpose\(0, 3, 1, 2\)"),
        (np.zeros((16, 16, 40)), LABELS, r"images of shape \(16, 1, 16, 40\)"),
        (IMAGES > 100, LABELS, "no pixel is above 1, of 255"),
        (np.ma.masked_greater(IMAGES, 100), LABELS, "not arrays of numbers.*some are masked"),
        (torch.from_numpy(IMAGES).float().requires_grad_(), LABELS, "not arrays of numbers"),
        (IMAGES, LABELS * 0, "all labels are 0; where there is one class there is nothing to learn"),
        (np.zeros((40, 0, 4)), LABELS, r"images of shape \(40, 1, 0, 4\)"),
    ],
)
def test_what_would_be_dropped_or_mixed_up_is_refused(images: object, labels: object, said: str):
    with pytest.raises(DataError, match=said):
        of_arrays(images, labels)


def test_classes_without_a_training_image_are_welcome_when_they_are_told():
    labels = np.where(LABELS == 2, 3, LABELS)
    assert of_arrays(IMAGES, labels, classes=4).classes == 4
    with pytest.raises(DataError, match="train: labels are not all whole numbers from 0 to 2"):
        of_arrays(IMAGES, labels, classes=3)
    with pytest.raises(DataError, match="expected 1 to 1,000,000"):
        of_arrays(IMAGES, labels, classes=10**9)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"labels": LABELS[:30]}, r"images of shape \(40, 2, 3, 4\) and labels of shape \(30,\)"),
        ({"test_images": IMAGES}, "test_labels is missing"),
        ({"test_labels": LABELS}, "test_images is missing"),
        ({"test_image": IMAGES, "test_labels": LABELS}, "array test_image has no meaning here; expected are images, labels, test_images"),
        ({"labels": np.array(list("abcd"))[LABELS]}, "labels are text; number them from 0"),
        ({"labels": np.array([None] * 40)}, "array labels holds Python objects"),
    ],
)
def test_an_npz_file_half_given_misspelt_or_of_unequal_lengths_is_refused(tmp_path: Path, arrays: dict, said: str):
    np.savez(tmp_path / "a.npz", **{"images": IMAGES, "labels": LABELS} | arrays)
    with pytest.raises(DataError, match=said):
        own.npz(str(tmp_path / "a.npz"))


def test_an_npz_file_that_is_none_or_cut_short_is_told_so(tmp_path: Path):
    np.savez(tmp_path / "whole.npz", images=IMAGES, labels=LABELS)
    content = (tmp_path / "whole.npz").read_bytes()
    np.save(tmp_path / "one.npy", IMAGES)
    for name, data, said in (
        ("cut", content[: len(content) // 2], "the file is damaged or cut short"),
        ("text", b"images", "not a file of numpy.savez"),
        ("npy", (tmp_path / "one.npy").read_bytes(), "a .npy file of one array"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match=said):
            own.npz(str(tmp_path / name))


@pytest.mark.whole
def test_every_changed_byte_of_an_npz_file_is_seen_or_changes_nothing(tmp_path: Path):
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "a.npz", images=IMAGES[:, :1, :2, :2], labels=LABELS)
        known, content = digest(own.npz(str(tmp_path / "a.npz"))), (tmp_path / "a.npz").read_bytes()
        for place in range(len(content)):
            spoilt = bytearray(content)
            spoilt[place] ^= 1 << place % 8
            (tmp_path / "a.npz").write_bytes(spoilt)
            with contextlib.suppress(DataError):
                assert digest(own.npz(str(tmp_path / "a.npz"))) == known, place


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("label,a,b\n0,1\n1,2,3\n", "cannot be read as a CSV file of numbers"),
        ("label,a,b\n0,1,2\n1,2\n", "cannot be read as a CSV file of numbers"),
        ("label,a,b\n7,0,1,2\n8,1,2,3\n", "the header has 3 columns, the rows have 4"),
        ("label,a,a\n0,1,2\n", "column 'a' stands twice"),
        ("label,a,label\n0,1,2\n", "column 'label' stands twice"),
        ("label,a,b\ncat,1,2\n", "labels are text, the first is 'cat'; number them from 0"),
        ("label,a,b\n0,x,2\n", "could not convert string 'x'"),
        ("label,a,b\n0,,2\n", "could not convert string ''"),
        ("label;a;b\n0;1;2\n", "no column 'label'; the first columns are label;a;b"),
        ("0,1,2\n1,2,3\n", "no column 'label'; the first columns are 0, 1, 2"),
        ("label,a,b\n", "no row below the header"),
        ("", "no column 'label'"),
        ("label,a,b\n0,1,nan\n1,2,3\n0,1,2\n1,1,2\n", "pixels are not all whole numbers"),
        ("label,a,b\n10001,1,3\n90210,2,3\n10001,1,2\n90210,1,2\n", "no training image is of class 0, but labels go up to 90210"),
    ],
)
def test_a_csv_file_that_is_not_whole_is_refused(tmp_path: Path, text: str, said: str):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        own.csv(str(tmp_path / "a.csv"), 1, 2, test_fraction=0.5)


@pytest.mark.parametrize("content", [b"label,a,b\n0,1,\xff\n", b"label,a,b\n0,1,\0\n", b"\xff\xfelabel", b'label,a,b\n0,"1,2\n'])
def test_a_csv_file_of_other_bytes_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.csv: "):
        own.csv(str(tmp_path / "a.csv"), 1, 2)


def test_a_file_that_changes_while_the_session_lives_is_read_anew(tmp_path: Path):
    settings = DatasetSection(name="lightweights.datasets.own:npz", arguments={"file": str(tmp_path / "a.npz")})
    np.savez(tmp_path / "a.npz", images=IMAGES, labels=LABELS)
    before, shape = digest(load(settings)), shape_of(settings)
    np.savez(tmp_path / "a.npz", images=255 - IMAGES[:, :1], labels=LABELS)
    assert digest(load(settings)) != before and shape_of(settings) == ((1, 3, 4), 4) != shape
    with pytest.raises(DataError, match=f"dataset.sha256 is {before}"):
        load(settings.model_copy(update={"sha256": before}))


@pytest.mark.parametrize("fraction", [0, 1, 4, 1.5, -0.5, float("nan"), True, "half"])
def test_a_share_of_test_images_that_is_none_is_refused(tmp_path: Path, fraction: Any) -> None:
    file = tmp_path / "own.npz"
    np.savez(file, images=np.full((40, 4, 4), 9), labels=np.arange(40) % 4)
    with pytest.raises(DataError, match=f"test_fraction = {fraction!r}: expected a share between 0 and 1"):
        own.npz(str(file), test_fraction=fraction)


def test_an_index_written_along_is_no_column_of_pixels(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text(",label,a,b\n" + "".join(f"{row},{row % 2},20,30\n" for row in range(20)))
    with pytest.raises(DataError, match=r"own.csv: column 1 has no name; give it one, or where it is a table's index"):
        own.csv(str(file), 1, 3)


def test_a_path_that_no_file_can_have_is_told() -> None:
    with pytest.raises(DataError, match="cannot be read as an NPZ file"):
        own.npz("a\0b")
