"""An experiment: a method, its seeds, what differs from the study's sections, and what is varied."""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self, get_args, get_origin

from pydantic import AfterValidator, Field, model_validator

from lightweights.settings.base import Name, Section, Seed, nearest
from lightweights.settings.baselines import Baseline
from lightweights.settings.names import short_name
from lightweights.settings.photonics import Regeneration
from lightweights.settings.runs import RunSettings, kind_of, kinds

OWN = {"baseline": "{kind: pruning}", "regenerate": "{noise: {g2: 0.02}}"}
"""Sections of a run that an experiment gives, not the study, each with an example."""


def _known(method: str) -> str:
    kind_of(method)
    return method


def _owner(section: str) -> str:
    return " or ".join(method for method, kind in kinds().items() if section in kind.model_fields)


Pair = tuple[str, str]
"""Two values of what is compared: the first minus the second."""


class Contrasts(Section):
    """What an experiment compares, fixed before its runs: pairs of values of one varied setting, by seed, wherever the others agree."""

    of: str = Field("photonics.arm", description="The varied setting whose values are compared.")
    value: Literal["final", "last10"] = Field("final", description="The last round's value, or the mean of the last ten.")
    margin: float = Field(0.5, gt=0, le=100, description="Points of accuracy within which two count as equivalent.")
    primary: list[Pair] = Field(
        description="Pairs that get words. All of them at all values of the other settings are the family that Holm's correction runs over."
    )
    secondary: list[Pair] = Field(default_factory=list, description="Pairs that get intervals and no words.")


class Experiment(Section):
    """Runs of one method: each seed, and each combination of what is varied."""

    method: Annotated[str, AfterValidator(_known)] = Field(description="What is trained.")
    numerics_version: int = Field(1, ge=1, description="Version of the method's numbers that the runs belong to.")
    chapter: Name | None = Field(None, description="Chapter that the experiment belongs to; said by the folder that it stands in.")
    schedule: Name | None = Field(
        None, description="Which of the schedules; unless set the method's first: gradient for quantum_train, its own for all others."
    )
    teacher: Name | None = Field(
        None, description="Experiment that trains the teachers, for method student: same seed, data and images as the student's."
    )
    baseline: Baseline | None = Field(None, description="What the method baseline trains; for this method only.")
    regenerate: Regeneration | None = Field(
        None,
        description="Imperfect devices that generate the weights anew after training, to see what accuracy is left. Training is exact.",
    )
    contrasts: Contrasts | None = Field(None, description="What the runs are compared by, fixed before them; none unless set.")
    seeds: list[Seed] = Field(description="One run a seed; none means that the experiment is left out.")
    planned: int | None = Field(
        None, ge=1, description="How many seeds are to be run in the end, where seeds has fewer: told as still to do, and nothing else."
    )
    override: dict[str, Any] = Field(default_factory=dict, description="Settings of this experiment's runs that differ: path to value.")
    vary: dict[str, list[Any]] = Field(
        default_factory=dict,
        description="Settings that are varied: path to values; all combinations run. In a file laid over another it replaces all.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        kind, known = kind_of(self.method), kind_of(self.method).version
        if self.numerics_version != known:
            raise ValueError(
                f"numerics_version is {self.numerics_version}, but this code computes version {known} of method "
                f"{self.method}: set it to {known} to run anew, or check out the code that made the old runs"
            )
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"seeds {self.seeds} has a number twice")
        both = sorted(set(self.vary) & set(self.override))
        if both:
            raise ValueError(f"{both[0]} stands in both override and vary; keep it in one of them")
        for path, values in self.vary.items():
            if not values:
                raise ValueError(f"vary.{path} is empty; give at least one value (seeds: [] leaves the experiment out)")
        for pair in [*self.contrasts.primary, *self.contrasts.secondary] if self.contrasts else []:
            missing = [name for name in pair if name not in self.vary.get(self.contrasts.of, [])] if self.contrasts else []
            if missing and self.contrasts:
                raise ValueError(f"contrasts compares {missing[0]}, which vary.{self.contrasts.of} has not; add it there")
        if self.schedule is not None and self.schedule not in kind.schedules:
            fitting = ", ".join(kind.schedules)
            raise ValueError(f"schedule {self.schedule} does not fit method {self.method}, which has {fitting}")
        for section, example in OWN.items():
            field, given = kind.model_fields.get(section), getattr(self, section) is not None
            if given and field is None:
                raise ValueError(f"method is {self.method} and section {section} is there; remove it, or set method to {_owner(section)}")
            if not given and field is not None and field.is_required():
                raise ValueError(f"method is {self.method} and section {section} is missing; give one, for example {example}")
        if (self.teacher is None) == (kind.learns_from is not None):
            remedy = f"name the experiment of method {kind.learns_from} that trains it" if self.teacher is None else "remove it"
            raise ValueError(f"method is {self.method} and teacher is {self.teacher or 'missing'}; {remedy}")
        return self


def assign(tree: dict[str, Any], kind: type[RunSettings], path: str, value: Any, owner: str) -> None:
    """Put a value where its path says. Raises ValueError naming the settings that there are where it leads nowhere."""
    *parents, leaf = path.split(".")
    node: Any = tree
    model: type[Section] | None = kind
    for part in parents:
        held = node.get(part) if isinstance(node, dict) else None
        model = section_class(model.model_fields[part].annotation, held) if model and part in model.model_fields else None
        if model and isinstance(node, dict) and part in node and node[part] is None:
            node[part] = model().model_dump()  # a section within a section that stood for none
        node = node.get(part) if isinstance(node, dict) else None
    free = len(parents) == FREE and parents[-1] == "arguments" and isinstance(node, dict)  # a factory's own names
    known = isinstance(node, dict) and leaf in {*node, *(model.model_fields if model else ())}
    if not parents or not isinstance(node, dict) or not (known or free):
        there = [
            f"{section}.{name}" for section, values in tree.items() if isinstance(values, dict) for name in _names(kind, section, values)
        ]
        raise ValueError(f"{owner}: no setting {path!r}{nearest(path, there)}; there are {', '.join(there)}")
    node[leaf] = value


FREE = 2
"""Depth of ``network.arguments`` and the like, whose names a user's factory knows."""


def _names(kind: type[RunSettings], section: str, values: dict[str, Any]) -> Iterable[str]:
    held = section_class(kind.model_fields[section].annotation, values) if section in kind.model_fields else None
    return held.model_fields if held else values


def section_class(annotation: Any, values: Any = None) -> type[Section] | None:
    """The section that a field holds where it holds one, or none; of several kinds that whose fixed fields, such as ``protocol``, are those
    of the values.
    """
    held = [part for part in (annotation, *get_args(annotation)) if isinstance(part, type) and issubclass(part, Section)]
    if len(held) > 1 and isinstance(values, dict):
        held = [section for section in held if all(values.get(name) == value for name, value in _fixed(section).items())]
    return held[0] if len(held) == 1 else None


def _fixed(section: type[Section]) -> dict[str, Any]:
    """Fields that can have one value only, by name."""
    choices = {name: get_args(field.annotation) for name, field in section.model_fields.items() if get_origin(field.annotation) is Literal}
    return {name: values[0] for name, values in choices.items() if len(values) == 1}


def variant_name(changes: dict[str, Any]) -> str:
    """Folder name of a variant: ``bond_dim=4``, ``schedule=cobyla,rounds=10``; ``base`` when nothing is changed."""
    return short_name(",".join(f"{path.rsplit('.', 1)[-1]}={_label(value)}" for path, value in changes.items()) or "base")


def _label(value: Any) -> str:
    if isinstance(value, dict):
        return "+".join(f"{name}.{_label(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        joint = "." if all(isinstance(v, int) for v in value) else "+"
        return joint.join(_label(v) for v in value)
    return re.sub(r"[:/]", "-", str(value))
