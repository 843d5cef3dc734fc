"""A whole study: shared sections and experiments, and the runs that they ask for."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, create_model, model_validator

from lightweights.settings.base import Name, Section, Seed, SettingsError, describe, nearest
from lightweights.settings.dataset import DatasetSection
from lightweights.settings.distillation import DistillationDataSection, FeatureSection, StudentSection, TeacherSection, TimeBinSection
from lightweights.settings.execution import Execution
from lightweights.settings.experiment import OWN, Experiment, assign, section_class, variant_name
from lightweights.settings.limits import check_runs, check_values
from lightweights.settings.mapping import MappingSection
from lightweights.settings.network import NetworkSection
from lightweights.settings.photonics import PhotonicsSection
from lightweights.settings.runs import Run, RunSettings, kind_of, kinds
from lightweights.settings.schedules import Schedules
from lightweights.settings.targets import taken_by_rules


class StudySection(Section):
    """What the study is called, and what it is made of."""

    name: Name = Field("paper", description="Name of the study; its files live in results/<name>.")
    title: str = Field("A study", max_length=200, description="Title of the report.")
    chapters: Literal["all"] | list[str] = Field(
        default_factory=list, max_length=1000, description="Chapters whose experiments it has: all, or names (and paths) of folders."
    )
    edition: Name = Field("full", description="Which edition of the chapters: full, or one that stands beside it, such as demo.")
    only: list[Name] | None = Field(None, description="Experiments that the study is made of; all that are listed unless set.")
    clock_mhz: float = Field(80.0, gt=0, le=1e6, description="Clock of the photon sources, MHz: for times on a device, not for any run.")


class Study(Section):
    """A whole study: shared sections and experiments."""

    study: StudySection = Field(default_factory=StudySection)
    dataset: DatasetSection = Field(default_factory=DatasetSection)
    network: NetworkSection = Field(default_factory=NetworkSection)
    photonics: PhotonicsSection = Field(default_factory=PhotonicsSection)
    mapping: MappingSection = Field(default_factory=MappingSection)
    time_bin: TimeBinSection = Field(default_factory=TimeBinSection)
    feature: FeatureSection = Field(default_factory=FeatureSection)
    distillation_data: DistillationDataSection = Field(default_factory=DistillationDataSection)
    teacher: TeacherSection = Field(default_factory=TeacherSection)
    student: StudentSection = Field(default_factory=StudentSection)
    schedules: Schedules = Field(default_factory=Schedules)
    seeds: list[Seed] = Field(default_factory=list, max_length=100_000, description="Seeds of the experiments that name none themselves.")
    experiments: dict[Name, Experiment] = Field(default_factory=dict)
    execution: Execution = Field(default_factory=Execution)

    @model_validator(mode="before")
    @classmethod
    def _seeds_of_the_study(cls, tree: Any) -> Any:
        if not isinstance(tree, dict) or not tree.get("seeds") or not isinstance(tree.get("experiments"), dict):
            return tree
        given = {name: {"seeds": tree["seeds"], **one} if isinstance(one, dict) else one for name, one in tree["experiments"].items()}
        return tree | {"experiments": given}

    @model_validator(mode="after")
    def _free_names(self) -> Self:
        taken = taken_by_rules(self.targets())
        if taken:
            raise ValueError(f"experiments.{taken[0]}: the workflow has a target of that name; choose another")
        return self

    @model_validator(mode="after")
    def _known_experiments(self) -> Self:
        for name in self.study.only or []:
            if name not in self.experiments:
                there = ", ".join(self.experiments)
                raise ValueError(f"study.only names {name}; there are {there}{nearest(name, self.experiments)}")
        return self

    @model_validator(mode="after")
    def _expandable(self) -> Self:
        runs = self.runs()
        twice = sorted(key for key, count in Counter(run.key for run in runs).items() if count > 1)
        if twice:
            raise ValueError(f"experiments ask twice for {twice[0]}: remove the repeated value")
        seen: dict[tuple[str, int, str], Run] = {}
        for run in runs:
            first = seen.setdefault((run.experiment, run.seed, run.settings.to_json()), run)
            if first is not run:
                raise ValueError(
                    f"experiments.{run.experiment}: {first.variant} and {run.variant} are the same settings: remove the repeated value"
                )
        for name, sections in itertools.groupby(sorted(self.datasets(runs), key=lambda d: d.name), lambda d: d.name):
            if len(list(sections)) > 1:
                raise ValueError(f"experiments split data set {name} in different ways; use one study for each")
        self.teachers(runs)
        return self

    def teachers(self, runs: list[Run]) -> dict[str, Run]:
        """The run whose result another is made from, such as a student's teacher, by that one's key. Raises ValueError where the study
        does not ask for it.
        """
        owners = {experiment.teacher for experiment in self.experiments.values() if experiment.teacher is not None}
        there = {(run.experiment, run.seed, run.settings.to_json()): run for run in runs if run.experiment in owners}
        found = {}
        for run in runs:
            owner, source = self.experiments[run.experiment].teacher, run.settings.source
            if owner is not None and source is not None:
                seed = run.seed if run.settings.source_seed is None else run.settings.source_seed
                teacher = there.get((owner, seed, source.to_json()))
                if teacher is None:
                    raise ValueError(f"experiments.{run.experiment}: {owner} trains no teacher with seed {seed}; add the seed there")
                found[run.key] = teacher
        return found

    def targets(self) -> dict[str, list[str]]:
        """Experiments by the name that trains them: those of a chapter by its name, each by its own. A chapter goes before an experiment of
        the same name.
        """
        named: dict[str, list[str]] = {}
        for name, experiment in self.experiments.items():
            if experiment.chapter:
                named.setdefault(experiment.chapter, []).append(name)
        return {name: [name] for name in self.experiments} | named

    @staticmethod
    def datasets(runs: list[Run]) -> list[DatasetSection]:
        """The data sets that the runs need, each once."""
        return list({run.settings.dataset.model_dump_json(): run.settings.dataset for run in runs}.values())

    def to_json(self) -> str:
        """All that decides the study's numbers, without how they are computed."""
        return self.model_dump_json(indent=2, exclude={"execution"}, exclude_none=True) + "\n"

    def runs(self) -> list[Run]:
        """Every run that the study asks for, in the order of its chapters and experiments, seeds outermost within an experiment."""
        return list(self.all_runs)

    @cached_property
    def all_runs(self) -> tuple[Run, ...]:
        """The runs; expanding them takes a while."""
        only = self.experiments if self.study.only is None else self.study.only
        return tuple(run for name, experiment in self.experiments.items() if name in only for run in self._expand(name, experiment))

    def _expand(self, name: str, experiment: Experiment) -> Iterator[Run]:
        if not experiment.seeds:
            return  # left out, perhaps with its teacher
        variants = list(self._variants(name, experiment))
        for seed in experiment.seeds:
            for variant, settings in variants:
                try:
                    yield Run(study=self.study.name, experiment=name, variant=variant, seed=seed, settings=settings)
                except ValidationError:
                    raise ValueError(
                        f"experiments.{name}: {variant!r} does not make a folder name; use shorter or plainer values"
                    ) from None

    def _variants(self, name: str, experiment: Experiment) -> Iterator[tuple[str, RunSettings]]:
        for values in itertools.product(*experiment.vary.values()):
            varied = dict(zip(experiment.vary, values, strict=True))
            yield variant_name({**varied, **experiment.override}), self._settings(name, experiment, varied)

    def _settings(self, name: str, experiment: Experiment, varied: dict[str, Any]) -> RunSettings:
        """Each field of the method's kind of run, from the section of that name; then what the experiment changes."""
        kind, changes = kind_of(experiment.method), {**experiment.override, **varied}
        schedule = changes.pop("schedule", experiment.schedule or kind.schedules[0])
        if schedule not in kind.schedules:
            fitting = ", ".join(kind.schedules)
            raise ValueError(f"experiments.{name}: schedule {schedule!r} does not fit method {experiment.method}, which has {fitting}")
        tree: dict[str, Any] = {"method": experiment.method, "numerics_version": experiment.numerics_version}
        tree["schedule"] = getattr(self.schedules, schedule).model_dump()
        for field in kind.model_fields:
            owner = experiment if field in OWN else self
            if field not in tree and field in type(owner).model_fields:
                section = getattr(owner, field)
                tree[field] = section.model_dump() if section is not None else None
        for path, value in changes.items():
            assign(tree, kind, path, value, f"experiments.{name}")
        try:
            if experiment.teacher is not None:
                tree |= kind.from_source(self._source(name, experiment.teacher, kind, tree, changes))
            try:
                return kind.model_validate(kind.without_idle(tree, changes))
            except ValidationError:
                raise
            except ValueError as error:
                raise ValueError(f"experiments.{name}: {error}") from None
        except ValidationError as error:
            owner_name = f"experiments.{name}"
            where = {path: f"{owner_name}.{'vary' if path in varied else 'override'}.{path}" for path in changes}
            lines = describe(error, where).splitlines()
            raise ValueError("\n".join(line if line.startswith(owner_name) else f"{owner_name}: {line}" for line in lines)) from None

    def _source(self, name: str, owner_name: Name, kind: type[RunSettings], tree: dict[str, Any], changes: dict[str, Any]) -> RunSettings:
        """The settings of the run that one learns from: of the experiment's variants the one that agrees in what both share, and in what
        the changes say of it.
        """
        method, owner = str(kind.learns_from), self.experiments.get(owner_name)
        if owner is None or owner.method != method:
            there = [other for other, experiment in self.experiments.items() if experiment.method == method]
            known = ", ".join(there) or "none"
            raise ValueError(
                f"experiments.{name}.teacher is {owner_name}: expected an experiment of method {method}; there are {known}"
                f"{nearest(owner_name, there)}"
            )
        wanted = {shared: _section(kind, shared).model_validate(tree[shared]) for shared in kind.shared_with_source()}
        told = _section(kind, method).model_validate(tree[method])
        same = [path.split(".")[1] for path in changes if path.startswith(f"{method}.")]
        fitting = {
            settings.to_json(): settings
            for _, settings in self._variants(owner_name, owner)
            if all(getattr(settings, shared) == value for shared, value in wanted.items())
            and all(getattr(getattr(settings, method), field) == getattr(told, field) for field in same)
        }
        if len(fitting) != 1:
            asked = ", ".join(f"{shared} {value.model_dump(exclude_none=True)}" for shared, value in wanted.items())
            asked += "".join(f", {method}.{field} {getattr(told, field)}" for field in same)
            raise ValueError(
                f"experiments.{name}: experiment {owner_name} has {len(fitting) or 'no'} variants with {asked}; "
                f"exactly one must have the {name}'s data, images, and what {method}.widths and the like say"
            )
        (found,) = fitting.values()
        return found


def _section(kind: type[RunSettings], field: str) -> type[Section]:
    section = section_class(kind.model_fields[field].annotation)
    assert section is not None
    return section


def study_model() -> type[Study]:
    """The study with the sections and schedules that kinds of run of chapters bring besides the library's own; one class for the same
    kinds, so that equal studies are equal.
    """
    return _study_model(*kinds().values())


@cache
def _study_model(*known: type[RunSettings]) -> type[Study]:
    sections: dict[str, Any] = {}
    schedules: dict[str, Any] = {}
    for kind in known:
        for name, field in kind.model_fields.items():
            held = section_class(field.annotation)
            if held is not None and name not in (*Study.model_fields, *OWN, "schedule", "teacher_schedule"):
                sections[name] = (held, Field(default_factory=held, description=field.description))
        schedule = section_class(kind.model_fields["schedule"].annotation) if "schedule" in kind.model_fields else None
        for name in kind.schedules:
            if name not in Schedules.model_fields and schedule is not None:
                schedules[name] = (schedule, Field(default_factory=schedule, description=schedule.__doc__))
    if schedules:
        own = create_model("Schedules", __base__=Schedules, **schedules)
        sections["schedules"] = (own, Field(default_factory=own))
    return create_model("Study", __base__=Study, **sections) if sections else Study


def parse_study(tree: Any, told: str | Callable[[str], str] = "params.yaml") -> Study:
    """A study from plain settings; raises SettingsError naming path, value and bounds. ``told``: what the settings are called, or for each
    line of an error.
    """
    source = told if isinstance(told, str) else told("")
    if not isinstance(tree, dict):
        raise SettingsError(f"{source}: expected settings by name, found {type(tree).__name__}")
    check_values(tree, source)
    check_runs(tree, source)
    try:
        return study_model().model_validate(tree)
    except ValidationError as error:
        lines = describe(error)
        if isinstance(told, str):
            raise SettingsError(f"{source}: {lines}") from None
        raise SettingsError("\n".join(f"{told(line)}: {line}" for line in lines.splitlines())) from None
