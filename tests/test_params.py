"""Settings: what is refused and how it is told, how experiments expand, and what a run's identity is."""

import copy
import json
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lightweights.methods.method import check_settings
from lightweights.settings.base import SettingsError
from lightweights.settings.experiment import variant_name
from lightweights.settings.names import LONGEST, short_name
from lightweights.settings.reading import json_schema, load_study
from lightweights.settings.runs import Run, RunSettings, kinds
from lightweights.settings.study import Study, parse_study
from lightweights.settings.yaml_file import overlay
from lightweights.study.layout import checkpoint_folder, file_name, run_folder, settings_file, weights_file
from lightweights.study.plan import open_study, read_run, read_study

REPOSITORY = Path(__file__).resolve().parents[1]
PARAMS = REPOSITORY / "params.yaml"
PRESETS = sorted((REPOSITORY / "workflow/presets").glob("*.yaml"))
SCHEMA = REPOSITORY / "workflow/schemas/params.schema.json"
BASE = {
    "dataset": {"name": "digits"},
    "experiments": {
        "direct": {"method": "classical", "seeds": [0, 1]},
        "generated": {"method": "quantum_train", "seeds": [0, 1], "vary": {"mapping.bond_dim": [1, 4]}},
    },
}


def changed(changes: dict) -> dict:
    """BASE with values put at dotted paths; a path's parts are separated by slashes, because settings have dots."""
    tree = copy.deepcopy(BASE)
    for path, value in changes.items():
        *parents, leaf = path.split("/")
        node = tree
        for part in parents:
            node = node.setdefault(part, {})
        node[leaf] = value
    return tree


# What is refused, and what the message tells

REFUSED = {
    "unknown key": ({"mapping/bond": 3}, ["mapping.bond = 3", "no such setting"]),
    "unknown section": ({"photonic": {}}, ["photonic", "no such setting"]),
    "unknown key of an experiment": ({"experiments/generated/seedz": [1]}, ["experiments.generated.seedz", "no such setting"]),
    "negative bond dimension": ({"mapping/bond_dim": -1}, ["mapping.bond_dim = -1", "greater than or equal to 1"]),
    "not a number": ({"mapping/init_std": float("nan")}, ["mapping.init_std = nan", "finite"]),
    "too many photons": ({"photonics/circuits": [[4, 5]]}, ["photonics", "5 photons in 4 modes", "1 to 4"]),
    "too many modes": ({"photonics/circuits": [[40, 5]]}, ["40 modes", "2 to 32"]),
    "no circuit": ({"photonics/circuits": []}, ["0 entries", "1 to 8"]),
    "alternating in too few modes": (
        {"photonics": {"circuits": [[5, 3]], "input_state": "alternating"}},
        ["alternating", "at least 6 modes, there are 5"],
    ),
    "state of another circuit": (
        {"photonics": {"circuits": [[4, 2]], "input_state": [[1, 0, 1]]}},
        ["[(3, 2)]", "[(4, 2)]"],
    ),
    "negative photon number": ({"photonics": {"circuits": [[3, 1]], "input_state": [[2, -1, 0]]}}, ["input_state"]),
    "a state for automatic circuits": ({"photonics": {"circuits": "auto", "input_state": [[1, 0]]}}, ["named", "auto"]),
    "unknown data set": ({"dataset/name": "letters"}, ["dataset.name = 'letters'", "mnist-partial"]),
    "network that is no name": ({"network/name": "os.system(1)"}, ["network.name = 'os.system(1)'"]),
    "words as seeds": ({"experiments/direct/seeds": ["one"]}, ["experiments.direct.seeds.0 = 'one'", "integer"]),
    "one seed without a list": ({"experiments/direct/seeds": 3}, ["experiments.direct.seeds = 3", "list"]),
    "negative seed": ({"experiments/direct/seeds": [-1]}, ["experiments.direct.seeds.0 = -1", "greater than or equal to 0"]),
    "seed twice": ({"experiments/direct/seeds": [3, 3]}, ["experiments.direct", "[3, 3]", "twice"]),
    "seed twice, once as a string": ({"experiments/direct/seeds": [3, "3"]}, ["experiments.direct", "twice"]),
    "no seeds": ({"experiments/extra": {"method": "classical"}}, ["experiments.extra.seeds", "required"]),
    "unknown method": ({"experiments/extra": {"method": "magic", "seeds": []}}, ["experiments.extra.method = 'magic'", "'classical'"]),
    "wrong schedule": ({"experiments/direct/schedule": "gradient"}, ["experiments.direct", "gradient", "classical"]),
    "wrong schedule the other way": ({"experiments/generated/schedule": "classical"}, ["experiments.generated", "quantum_train"]),
    "wrong varied schedule": ({"experiments/generated/vary": {"schedule": ["classical"]}}, ["experiments.generated", "'classical'"]),
    "varied schedule that is a list": ({"experiments/generated/vary": {"schedule": [["gradient"]]}}, ["experiments.generated", "gradient"]),
    "old numerics": ({"experiments/direct/numerics_version": 99}, ["experiments.direct", "99", str(kinds()["classical"].version)]),
    "typing error in vary": (
        {"experiments/generated/vary": {"mapping.bond_dimension": [1]}},
        ["experiments.generated", "'mapping.bond_dimension'", "mapping.bond_dim"],
    ),
    "typing error in override": (
        {"experiments/generated/override": {"schedule.round": 1}},
        ["experiments.generated", "'schedule.round'", "schedule.rounds"],
    ),
    "section in vary": ({"experiments/generated/vary": {"mapping": [{"bond_dim": 1}]}}, ["experiments.generated", "'mapping'"]),
    "setting of the study in vary": ({"experiments/generated/vary": {"study.name": ["x"]}}, ["experiments.generated", "'study.name'"]),
    "mapping of a classical run": ({"experiments/direct/override": {"mapping.bond_dim": 2}}, ["experiments.direct", "'mapping.bond_dim'"]),
    "varied value without a list": ({"experiments/generated/vary": {"mapping.bond_dim": 3}}, ["vary.mapping.bond_dim = 3", "list"]),
    "varied value out of bounds": (
        {"experiments/generated/vary": {"mapping.bond_dim": [2, 0]}},
        ["experiments.generated.vary.mapping.bond_dim = 0", "greater than or equal to 1"],
    ),
    "schedule's value out of bounds": (
        {"experiments/generated/vary": {"schedule.mapping_lr": [1e-3, 11]}},
        ["experiments.generated.vary.schedule.mapping_lr = 11", "less than or equal to 10"],
    ),
    "overriding value out of bounds": (
        {"experiments/direct/override": {"schedule.epochs": 0}},
        ["experiments.direct.override.schedule.epochs = 0", "greater than or equal to 1"],
    ),
    "varied circuit that cannot be": (
        {"experiments/generated/vary": {"photonics.circuits": [[[4, 5]]]}},
        ["experiments.generated", "5 photons in 4 modes"],
    ),
    "vary without values": (
        {"experiments/generated/vary": {"mapping.bond_dim": []}},
        ["experiments.generated", "vary.mapping.bond_dim is empty"],
    ),
    "varied value twice": ({"experiments/generated/vary": {"mapping.bond_dim": [4, 4]}}, ["generated/bond_dim=4/seed-0", "repeated"]),
    "data set split in two ways": (
        {"experiments/direct/vary": {"dataset.split_seed": [0, 1]}},
        ["digits", "different ways"],
    ),
    "name that leaves the folder": ({"study/name": "../elsewhere"}, ["study.name = '../elsewhere'"]),
    "experiment that leaves the folder": ({"experiments/..": {"method": "classical", "seeds": []}}, ["experiments", "'..'"]),
    "no threads": ({"execution/threads": 0}, ["execution.threads = 0"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_settings_are_told_by_path_value_and_remedy(case: str) -> None:
    changes, parts = REFUSED[case]
    with pytest.raises(SettingsError) as raised:
        parse_study(changed(changes), "mine.yaml")
    message = str(raised.value)
    assert message.startswith("mine.yaml: ")
    assert [part for part in parts if part not in message] == []


@pytest.mark.parametrize("tree", [None, [], "study", 3])
def test_settings_that_are_no_mapping_are_refused(tree: object) -> None:
    with pytest.raises(SettingsError, match=r"mine\.yaml: expected settings by name"):
        parse_study(tree, "mine.yaml")


def test_numbers_as_strings_are_numbers() -> None:
    """Command lines such as --config seeds='["0"]' give strings."""
    study = parse_study(changed({"experiments/generated/seeds": ["0", "7"], "mapping/init_std": "1e-9", "mapping/bond_dim": "2"}))
    assert study.experiments["generated"].seeds == [0, 7]
    assert (study.mapping.init_std, study.mapping.bond_dim) == (1e-9, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (..., "Is a directory"),
        ("a: [", "not a YAML file"),
        ("- 1\n- 2\n", "not a YAML file"),
        (b"\xff\xfe\x00a", "mine"),
        ("a: 2001-13-45", "month must be"),
        ("a: !!int x", "invalid literal"),
        ("a: 0b_", "invalid literal"),
        ("a: " + "1" * 5000, "limit"),
        ("a: !!bool x", "does not fit its tag"),
        ("a: !!timestamp x", "does not fit its tag"),
        ("[" * 5000, "nested too deeply"),
        ("- " * 300_000, "nested too deeply"),  # more calls than a stack of C holds
        ("a: &a {b: *a}", "more than 50 levels"),
        ("\n".join(["a0: &a0 {}", *(f"a{n}: &a{n} {{x: *a{n - 1}}}" for n in range(1, 60))]), "more than 50 levels"),
        ("a: &a {b: 1}\nc: {<<: *a}", "merge key << in line 2"),
        ("#" * 2**20 + " too long", "more than 1,048,576 bytes"),
        ("1: 2", "Keys should be strings"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path: Path, content: str | bytes | None, message: str) -> None:
    file = tmp_path / "mine.yaml"
    if content is ...:
        file.mkdir()
    elif content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SettingsError, match=message) as raised:
        load_study(file)
    assert str(file) in str(raised.value)
    with pytest.raises(SettingsError, match=message):
        load_study(PARAMS, file)


def test_merge_keys_are_refused_before_they_are_followed(tmp_path: Path) -> None:
    """Nested, twenty lines of them stand for 9^20 entries."""
    file = tmp_path / "mine.yaml"
    lines = [f"a{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 9)}]}}" for level in range(1, 20)]
    file.write_text("\n".join(["a0: &a0 {x: 1}", *lines]))
    with pytest.raises(SettingsError, match="merge key << in line 2"):
        load_study(file)


def test_aliases_are_counted_before_files_are_laid_over_each_other(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    levels = [f"a{level}: &a{level} {{x: *a{level - 1}, y: *a{level - 1}}}" for level in range(1, 40)]
    file.write_text("\n".join(["a0: &a0 {x: 1}", *levels]))
    with pytest.raises(SettingsError, match="more than 200,000 values"):
        load_study(file, file)


# Expansion


def test_every_combination_runs_with_every_seed() -> None:
    vary = {"mapping.bond_dim": [1, 4], "schedule": ["cobyla", "gradient"], "photonics.circuits": ["auto", [[9, 4], [8, 4]]]}
    study = parse_study(changed({"experiments/generated/vary": vary, "experiments/generated/override": {"schedule.rounds": 7}}))
    runs = [run for run in study.runs() if run.experiment == "generated"]
    found = {(r.seed, r.settings.mapping.bond_dim, r.settings.schedule.protocol, str(r.settings.photonics.circuits)) for r in runs}
    circuits = {"auto", "[(9, 4), (8, 4)]"}
    assert found == {(s, b, p, c) for s in (0, 1) for b in (1, 4) for p in ("cobyla", "gradient") for c in circuits}
    assert len(runs) == len(found) == 16
    assert {run.settings.schedule.rounds for run in runs} == {7}
    assert runs[0].key == "generated/bond_dim=1,schedule=cobyla,circuits=auto,rounds=7/seed-0"
    assert runs[1].variant == "bond_dim=1,schedule=cobyla,circuits=9.4+8.4,rounds=7"
    assert [run.seed for run in runs] == [0] * 8 + [1] * 8


def test_runs_take_the_shared_sections_and_leave_out_those_they_do_not_use() -> None:
    direct, *_, generated = parse_study(changed({"mapping/bond_dim": 9, "schedules/classical": {"epochs": 3}})).runs()
    assert direct.variant == "base"
    assert (direct.settings.photonics, direct.settings.mapping, direct.settings.schedule.epochs) == (None, None, 3)
    assert generated.settings.mapping.bond_dim == 4  # varied
    assert generated.settings.schedule.protocol == "gradient"


def test_an_experiment_without_seeds_is_left_out() -> None:
    assert {run.experiment for run in parse_study(changed({"experiments/direct/seeds": []})).runs()} == {"generated"}


def test_variants_count_without_seeds_and_against_those_of_the_teacher() -> None:
    many = {f"mapping.x{number}": list(range(100)) for number in range(3)}
    for experiments in (
        {"left": {"method": "quantum_train", "seeds": [], "vary": many}},
        {
            "teacher": {"method": "teacher", "seeds": [], "vary": {"schedule.epochs": list(range(1, 1001))}},
            "student": {"method": "student", "teacher": "teacher", "seeds": [0], "vary": {"student.rank": list(range(1, 1001))}},
        },
    ):
        with pytest.raises(SettingsError, match=r"1,00\d,000 runs, or comparisons with teachers; a study can have 100,000"):
            parse_study({"experiments": experiments})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"network/arguments": {f"x{number}": 1 for number in range(101)}}, "at most 100 items"),
        ({"dataset/arguments": {"x": "y" * 1001}}, "at most 1000 characters"),
        ({"network/name": "a:" + "b" * 200}, "at most 200 characters"),
        ({"experiments/generated/regenerate": {"noise": {}, "vary": {"g2": [0.0] * 101}}}, "at most 100 items"),
    ],
)
def test_lists_and_texts_have_a_largest_length(changes: dict, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        parse_study(changed(changes))


def test_a_stored_study_is_read_like_any_settings(tmp_path: Path) -> None:
    file = tmp_path / "study.json"
    study = parse_study(BASE)
    file.write_text(study.to_json())
    assert read_study(file) == study
    tree = changed({"experiments/generated/seeds": [], "experiments/generated/vary": {f"x.{n}": list(range(100)) for n in range(4)}})
    for content, told in ((json.dumps(tree).encode(), "a study can have 100,000"), (b"[" * 10**5, "too deeply"), (b"\xff", "decode")):
        file.write_bytes(content)
        with pytest.raises(SettingsError, match=told) as raised:
            read_study(file)
        assert str(file) in str(raised.value)


def test_settings_files_of_other_bytes_are_written_anew_or_told(tmp_path: Path) -> None:
    run = open_study(BASE, tmp_path).runs()[0]
    file = settings_file(run, tmp_path)
    file.write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="not the settings of a run"):
        read_run(file, 0, tmp_path)
    (tmp_path / "paper/settings/study.json").write_bytes(b"\xff")
    open_study(BASE, tmp_path)
    assert read_run(file, 0, tmp_path) == run
    file.unlink()
    file.mkdir()
    with pytest.raises(SettingsError, match="not the settings of a run"):
        read_run(file, 0, tmp_path)


def test_a_network_that_can_be_imported_makes_a_folder_name() -> None:
    study = parse_study(changed({"experiments/generated/vary": {"network.name": ["my.networks:small", "cnn"]}}))
    assert {run.variant for run in study.runs()} == {"base", "name=my.networks-small", "name=cnn"}


# The files that come with the project


def test_params_yaml_is_the_study_of_the_paper() -> None:
    study = load_study(PARAMS)
    assert study.study.name == "paper"
    bond_dims = [run.settings.mapping.bond_dim for run in study.runs() if run.experiment == "quantum_train" and run.seed == 0]
    assert bond_dims == list(range(1, 11))
    for run in study.runs():
        assert run.settings.numerics_version == kinds()[run.settings.method].version
    schedules = study.schedules
    assert (schedules.gradient.rounds, schedules.gradient.mapping_epochs, schedules.gradient.phase_steps) == (200, 5, 20)
    assert (schedules.cobyla.evaluations, schedules.cobyla.phase_batch_size, schedules.classical.epochs) == (1000, 1000, 50)


@pytest.mark.parametrize("preset", PRESETS, ids=[preset.stem for preset in PRESETS])
def test_presets_are_studies_of_their_own(preset: Path) -> None:
    study = load_study(PARAMS, preset)
    assert study.study.name == preset.stem
    assert study.runs()


def test_json_schema_is_in_step_with_the_model() -> None:
    assert json.loads(SCHEMA.read_text()) == json_schema(), "write it anew: lightweights schema > workflow/schemas/params.schema.json"


@pytest.mark.whole
@pytest.mark.parametrize("overlays", [(), *((preset,) for preset in PRESETS)], ids=["params", *(preset.stem for preset in PRESETS)])
def test_json_schema_accepts_what_the_model_accepts(overlays: tuple[Path, ...]) -> None:
    tree: dict = {}
    for file in (PARAMS, *overlays):
        tree = overlay(tree, yaml.safe_load(file.read_text()))
    jsonschema.validate(tree, json_schema(), jsonschema.Draft202012Validator)
    tree["mapping"]["bond_dimension"] = 3
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tree, json_schema(), jsonschema.Draft202012Validator)


def test_overlays_merge_sections_and_replace_values() -> None:
    merged = overlay({"a": {"b": 1, "c": [1, 2]}, "d": 4}, {"a": {"c": [3]}, "e": {"f": 5}})
    assert merged == {"a": {"b": 1, "c": [3]}, "d": 4, "e": {"f": 5}}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"mapping/bond_dim": True}, "mapping.bond_dim = True: true is a switch; write a number"),
        ({"photonics/bunching": 1}, "photonics.bunching = 1: 1 is a number; write true or false"),
        ({"photonics/mesh": True}, "photonics.mesh = True: true is a switch; write a name"),
        ({"experiments/generated/seeds": [False]}, "experiments.generated.seeds = [False]: false is a switch"),
        ({"experiments/generated/override": {"schedule.rounds": True}}, "override.schedule.rounds = True: true is a switch"),
        ({"schedules/gradient": {"phase_lr": True}}, "schedules.gradient.phase_lr = True: true is a switch"),
    ],
)
def test_no_value_is_bent_into_another_kind(changes: dict, told: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(told)):
        parse_study(changed(changes))


# Identity


def runs_of(changes: dict) -> list[Run]:
    return parse_study(changed(changes)).runs()


def test_settings_are_written_the_same_whatever_the_order_they_came_in() -> None:
    tree = changed({"mapping/bond_dim": 3, "network/arguments": {"depth": 1, "width": 2}})
    backwards = json.loads(json.dumps(tree, sort_keys=True), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    first = {run.key: run.settings.to_json() for run in parse_study(tree).runs()}
    assert first == {run.key: run.settings.to_json() for run in parse_study(backwards).runs()}


def test_landed_settings_parse_back_equal_and_nothing_is_written_as_null() -> None:
    changes = {"experiments/generated/vary": {"schedule": ["cobyla", "gradient"], "photonics.circuits": ["auto", [[9, 4], [8, 4]]]}}
    for run in runs_of(changes):
        text = run.settings.to_json()
        assert "null" not in text
        assert RunSettings.model_validate_json(text) == run.settings
        assert RunSettings.model_validate(json.loads(text)).to_json() == text
    assert "mapping" not in runs_of({})[0].settings.plain()


def test_a_setting_that_entered_later_has_its_real_default_and_is_written_only_where_it_was_said() -> None:
    """Runs that landed before it entered, and runs that said it, both keep their identity."""
    plain = parse_study({"experiments": {"a": {"method": "quantum_train", "seeds": [0]}}}).runs()[0].settings
    assert (plain.photonics.arm, plain.photonics.staleness, plain.mapping.kind) == ("photonic", 0, "mps")
    assert (
        not {"arm", "staleness", "detectors", "post_selection"} & set(plain.plain()["photonics"]) and "kind" not in plain.plain()["mapping"]
    )
    for said in ({"vary": {"photonics.arm": ["photonic"]}}, {"override": {"photonics.arm": "photonic"}}):
        asked = parse_study({"experiments": {"a": {"method": "quantum_train", "seeds": [0]} | said}}).runs()[0].settings
        assert asked.plain()["photonics"].pop("arm") == "photonic"
        assert RunSettings.model_validate_json(asked.to_json()).to_json() == asked.to_json() != plain.to_json()
    assert RunSettings.model_validate_json(plain.to_json()).to_json() == plain.to_json()


@pytest.mark.parametrize("changes", [{"photonics/arm": None}, {"mapping/kind": None}, {"photonics/staleness": None}])
def test_no_value_stands_for_a_default(changes: dict) -> None:
    with pytest.raises(SettingsError, match=next(iter(changes)).replace("/", ".")):
        runs_of(changes)


def test_execution_and_names_do_not_belong_to_a_runs_identity() -> None:
    before = [run.settings.to_json() for run in runs_of({})]
    changes = {"execution": {"threads": 4, "device": "auto", "checkpoint_seconds": 1}, "study": {"name": "other", "title": "Other"}}
    assert [run.settings.to_json() for run in runs_of(changes)] == before


@pytest.mark.parametrize(
    "changes",
    [
        {"mapping/init_std": 1e-8},
        {"photonics/mesh": "mzi"},
        {"photonics/input_state": "first"},
        {"photonics/bunching": True},
        {"photonics/normalisation": "sum"},
        {"network/name": "cnn-relu"},
        {"network/arguments": {"width": 3}},
        {"dataset/split_seed": 1},
        {"schedules/gradient": {"phase_steps": 21}},
    ],
)
def test_whatever_decides_numbers_belongs_to_a_runs_identity(changes: dict) -> None:
    assert runs_of(changes)[-1].settings.to_json() != runs_of({})[-1].settings.to_json()


# Names


def test_long_names_are_shortened_with_a_digest_so_that_every_file_system_takes_them() -> None:
    """143 bytes are the least that is met, by eCryptfs; while a file is written its name has 16 more characters."""
    paths = {f"schedule.{name}": value for name, value in (("rounds", 10), ("phase_steps", 375), ("phase_batch_size", 16))}
    many = {f"some_section.a_rather_long_setting_{k}": k for k in range(9)}
    name, other = variant_name(paths | many), variant_name(paths | many | {"some_section.a_rather_long_setting_8": 9})
    assert len(name) <= LONGEST and name.startswith("rounds=10,phase_steps=375,phase_batch_size=16,a_rather")
    assert name.rpartition(",and=")[0] == other.rpartition(",and=")[0] and name != other
    assert variant_name(paths) == "rounds=10,phase_steps=375,phase_batch_size=16"
    assert len(short_name("x" * 300)) == LONGEST
    assert len(f".{file_name('package.' * 24 + 'module:factory')}.safetensors.abcdefgh.part") <= 143


def test_every_settings_file_of_the_landed_study_belongs_to_a_run_and_says_what_it_has() -> None:
    study = load_study(PARAMS)
    folder = REPOSITORY / "results/paper"
    wanted = {settings_file(run, folder.parent): run.settings.to_json() for run in study.runs()}
    found = {path: path.read_text() for path in (folder / "settings").glob("*/*.json")}
    assert {path for path, text in found.items() if wanted.get(path) != text} == set()
    assert (folder / "settings/study.json").read_text() == study.to_json()


def test_every_file_of_the_repository_can_be_checked_out_in_an_encrypted_home_folder() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert [name for name in listed.split("\0") if any(len(part.encode()) > 143 for part in name.split("/"))] == []


names = st.one_of(
    st.text(max_size=70),
    st.text("ab0./-_~ \n\0", max_size=70),
    st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}\n?", fullmatch=True),
    st.sampled_from(["..", ".", "/", "../../x", "a/../..", "-", "~"]),
)
numbers = st.one_of(st.integers(1, 99), st.from_regex(r"\s?\+?0{0,2}[1-9]{1,2}(\.0)?\s?", fullmatch=True), names)
networks = st.one_of(names, st.from_regex(r"[A-Za-z_.]{1,9}:[A-Za-z_.]{1,9}\s?", fullmatch=True))


@given(names, names, numbers, networks)
def test_no_name_leads_out_of_the_results_folder(study: str, experiment: str, number: object, network: str) -> None:
    """Each name alone, so that one that is refused does not hide another."""
    check_paths(changed({"study/name": study}))
    check_paths(changed({"experiments": {experiment: {"method": "quantum_train", "seeds": [0]}}}))
    check_paths(changed({"experiments/generated/vary": {"mapping.bond_dim": [number]}}))
    check_paths(changed({"experiments/direct/vary": {"network.name": [network]}}))


def check_paths(tree: dict) -> None:
    """Either the settings are refused or all files lie in the study's folder, under names that a shell leaves alone."""
    results = Path("/results")
    try:
        study = parse_study(tree)
    except SettingsError:
        return
    assert study.study.name.isprintable()
    for run in study.runs():
        for file in (settings_file(run, results), run_folder(run, results), weights_file(run, results), checkpoint_folder(run, results)):
            parts = file.relative_to(results).parts
            assert file.is_relative_to(results / study.study.name)
            assert not {".", ".."} & set(parts)
            assert all(part.isprintable() and " " not in part for part in parts)


# Can it be trained?


def settings_with(changes: dict) -> RunSettings:
    return runs_of({"experiments/direct/seeds": [], "experiments/generated/vary": {}, **changes})[0].settings


def test_settings_that_can_be_trained_pass() -> None:
    check_settings(settings_with({}), "generated/base")
    check_settings(settings_with({"photonics/circuits": "auto"}), "generated/base")
    check_settings(runs_of({})[0].settings, "direct/base")


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"photonics/circuits": [[8, 4], [8, 4]]}, ["[[8, 4], [8, 4]]", "4900 joint outcomes", "6690 weights", "[[9, 4], [8, 4]]", "auto"]),
        ({"photonics/circuits": [[32, 16]]}, ["601,080,390 outcomes", "4,000,000"]),
        ({"photonics/circuits": [[26, 20]]}, ["10,400,600 outcomes", "4,000,000"]),
        ({"network/name": "resnet"}, ["network.name = 'resnet'", "cnn, cnn-relu, cnn-merlin, and package.module:factory"]),
        ({"network/name": "no_such_package:network"}, ["no_such_package:network", "cannot be imported"]),
        ({"network/name": "math:network"}, ["math:network", "cannot be imported"]),
        ({"network/name": "math:gcd"}, ["'math:gcd'", "arguments {}"]),
        ({"network/name": "builtins:dict"}, ["'builtins:dict'"]),
        ({"network/name": "networks_for_tests:linear", "network/arguments": {"hiden": 3}}, ["{'hiden': 3}", "unexpected keyword"]),
        ({"network/name": "networks_for_tests:linear", "network/arguments": {"hidden": -3}}, ["{'hidden': -3}", "negative dimension"]),
        ({"network/name": "networks_for_tests:number"}, ["gave int", "expected a torch module"]),
        ({"network/arguments": {"width": 3}}, ["'cnn'", "{'width': 3}"]),
        ({"network/name": "networks_for_tests:weightless"}, ["networks_for_tests:weightless", "no weight"]),
        (
            {"experiments/generated/schedule": "cobyla", "experiments/generated/override": {"schedule.evaluations": 193}},
            ["schedule.evaluations = 193", "at least 194 for 192 phases"],
        ),
    ],
)
def test_settings_that_cannot_be_trained_are_told_before_any_job(
    changes: dict, parts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "networks_for_tests.py").write_text(
        "from torch import nn\n"
        "def linear(shape, classes, hidden=5):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(784, hidden), nn.Linear(hidden, classes))\n"
        "def weightless(shape, classes):\n"
        "    return nn.Flatten()\n"
        "def number(shape, classes):\n"
        "    return 3\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(SettingsError) as raised:
        check_settings(settings_with(changes), "generated/base")
    message = str(raised.value)
    assert message.startswith("generated/base: ")
    assert [part for part in parts if part not in message] == []


def test_opening_a_study_writes_nothing_when_one_run_cannot_be_trained(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"generated.* have 6 joint outcomes"):
        open_study(changed({"experiments/generated/vary": {"photonics.circuits": ["auto", [[4, 2]]]}}), tmp_path)
    assert list(tmp_path.rglob("*.json")) == []


def test_settings_files_are_left_alone_when_nothing_changed(tmp_path: Path) -> None:
    first = open_study(copy.deepcopy(BASE), tmp_path)
    times = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.json")}
    assert {settings_file(run, tmp_path) for run in first.runs()} <= set(times)
    open_study(changed({"experiments/direct/seeds": [0, 1, 2]}), tmp_path)
    runs = {settings_file(run, tmp_path) for run in first.runs()}
    assert {file: file.stat().st_mtime_ns for file in runs} == {file: times[file] for file in runs}
    open_study(changed({"schedules/classical": {"epochs": 3}}), tmp_path)
    assert {file.parent.name for file in runs if file.stat().st_mtime_ns != times[file]} == {"direct"}


def test_a_run_is_read_back_from_its_settings_file(tmp_path: Path) -> None:
    study: Study = open_study(copy.deepcopy(BASE), tmp_path)
    for run in study.runs():
        assert read_run(settings_file(run, tmp_path), run.seed, tmp_path) == run


@pytest.mark.parametrize("content", ["{", "{}", '{"method": "classical"}'])
def test_settings_files_that_are_none_are_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "s/settings/direct/base.json"
    with pytest.raises(SettingsError, match="no such settings file"):
        read_run(path, 0, tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(SettingsError, match=r"base\.json: not the settings of a run"):
        read_run(path, 0, tmp_path)
    with pytest.raises(SettingsError, match="expected a file results/STUDY/settings"):
        read_run(tmp_path / "elsewhere.json", 0, tmp_path)
