"""Settings of the chapter's kinds of run: a language model, pretrained, and adapters beside its frozen weights."""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lightweights.settings.base import Section
from lightweights.settings.runs import RunSettings, Work

from .package import missing

GENERATED = ("mps-only", "product-free", "classical-light", "distinguishable", "photonic-frozen", "gaussian-fixed", "photonic")
"""Arms of photonic Quantum-Train: what multiplies the mapping's slope."""
ArmName = Literal[
    "frozen",
    "lora",
    "vera",
    "subspace",
    "low-rank",
    "affine",
    "affine-angles",
    "mps-only",
    "product-free",
    "classical-light",
    "distinguishable",
    "photonic-frozen",
    "gaussian-fixed",
    "photonic",
]
_SECONDS_PER_MILLION = 20.0
"""At which the engine takes work whose rate it does not know."""


class LanguageSection(Section):
    """The network that is pretrained, and then frozen."""

    layers: int = Field(4, ge=1, le=48, description="Blocks of attention and of a wide layer.")
    width: int = Field(128, ge=8, le=4096, description="Numbers a token.")
    heads: int = Field(4, ge=1, le=64, description="Heads of attention; the width is a multiple of it.")

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width = {self.width} is no multiple of heads = {self.heads}")
        return self


class AdapterSection(Section):
    """What is trained beside frozen weights."""

    arm: ArmName = Field("photonic", description="What makes the change of the frozen weights.")
    budget: int = Field(1376, ge=0, le=10_000_000, description="Numbers that are trained at most; 0 for a network that stays as it is.")
    rank: int = Field(4, ge=1, le=256, description="Rank of the adapters that a generator makes, beside query and value of every layer.")
    shots: int = Field(
        256, ge=1, le=1_000_000, description="Texts to train on, drawn by the seed; as many of each class where there are any."
    )
    validation: int = Field(128, ge=1, le=1_000_000, description="Further texts, by which epoch and learning rate are chosen.")

    @model_validator(mode="after")
    def _nothing_to_train(self) -> Self:
        if (self.arm == "frozen") != (self.budget == 0):
            raise ValueError(f"arm {self.arm} with budget {self.budget}: the frozen network has budget 0, and no other arm has")
        return self


class EncoderSection(Section):
    """How much of MiniLM is adapted."""

    adapted_layers: int = Field(2, ge=1, le=5, description="Last layers, beside whose query and value adapters stand.")


class PretrainSchedule(Section):
    """Adam on the next token, with a rise and a cosine to nothing of the learning rate."""

    protocol: Literal["pretrain"] = "pretrain"
    rounds: int = Field(10, ge=1, le=100_000, description="Rounds, a row of the history each.")
    steps: int = Field(150, ge=1, le=1_000_000, description="Steps in a round.")
    batch_size: int = Field(32, ge=1, le=100_000, description="Texts in a step.")
    lr: float = Field(2e-3, gt=0, le=10, description="Largest learning rate.")
    rise: float = Field(0.1, ge=0, le=1, description="Share of the steps in which it rises.")


class AdaptSchedule(Section):
    """Adam on all that is trained, once with each learning rate, each falling linearly to nothing."""

    protocol: Literal["adapt"] = "adapt"
    epochs: int = Field(6, ge=1, le=100_000, description="Passes through the shots with each learning rate.")
    batch_size: int = Field(16, ge=1, le=100_000, description="Texts in a step.")
    learning_rates: list[float] = Field([1e-2, 3e-2, 1e-1], min_length=1, max_length=20, description="Learning rates that are tried.")

    @property
    def rounds(self) -> int:
        """One a learning rate."""
        return len(self.learning_rates)


class LanguageRun(RunSettings):
    """A language model, pretrained."""

    version, schedules, trainer = 1, ("pretrain",), "chapters.adapters.pretraining"
    large = True

    method: Literal["language"]
    language: LanguageSection
    schedule: PretrainSchedule

    def work(self) -> Work:
        """Steps; the cost of one goes with the network's size."""
        schedule = self.schedule
        seconds = 6e-3 * schedule.batch_size * _size(self.language) * schedule.rounds * schedule.steps
        return Work("pretrain", seconds / _SECONDS_PER_MILLION, alone=True)


class AdapterRun(RunSettings):
    """Adapters beside the frozen weights of a language model."""

    version, schedules, trainer = 1, ("adapt",), "chapters.adapters.method"
    learns_from = "language"
    source_seed: ClassVar[int] = 0
    """One network is frozen for all seeds, as there is one of each size in practice."""

    method: Literal["adapter"]
    language: LanguageSection
    language_schedule: PretrainSchedule
    language_version: int
    adapter: AdapterSection
    schedule: AdaptSchedule

    @property
    def steps(self) -> int:
        """One row a learning rate; a network that stays as it is has one."""
        return self.schedule.rounds

    @classmethod
    def from_source(cls, source: RunSettings) -> dict[str, Any]:
        """The network's shape, schedule and version."""
        return {
            "language": source.language.model_dump(),
            "language_schedule": source.schedule.model_dump(),
            "language_version": source.numerics_version,
        }

    @classmethod
    def shared_with_source(cls) -> tuple[str, ...]:
        """Both are cut into the same tokens."""
        return ("dataset",)

    @property
    def source(self) -> LanguageRun:
        """Settings of the pretrained network."""
        return LanguageRun(
            method="language",
            numerics_version=self.language_version,
            dataset=self.dataset,
            language=self.language,
            schedule=self.language_schedule,
        )

    def work(self) -> Work:
        """Steps with each learning rate, and measuring after each epoch."""
        section, schedule = self.adapter, self.schedule
        texts = schedule.rounds * (schedule.epochs * (section.shots + section.validation / 3) + 300)
        return Work("adapt", 5e-3 * texts * _size(self.language) / _SECONDS_PER_MILLION)


class ClassesRun(RunSettings):
    """Adapters in the last layers of MiniLM, and a head, trained on few texts of each class."""

    version, schedules, trainer = 1, ("adapt",), "chapters.adapters.classes"

    method: Literal["adapter_classes"]
    encoder: EncoderSection
    adapter: AdapterSection
    schedule: AdaptSchedule

    def lacks(self) -> str:
        """The package of its weights, where that is not here."""
        return missing()

    def work(self) -> Work:
        """Steps with each learning rate, and measuring after each epoch."""
        section, schedule = self.adapter, self.schedule
        texts = schedule.rounds * (schedule.epochs * (section.shots + section.validation / 3) + 200)
        return Work("adapt_classes", 1.2e-2 * texts * self.encoder.adapted_layers / 2 / _SECONDS_PER_MILLION, memory_mb=600)


def _size(section: LanguageSection) -> float:
    """Relative to four layers of width 128."""
    return section.layers / 4 * (section.width / 128) ** 2
