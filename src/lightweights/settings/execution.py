"""How runs are executed."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lightweights.settings.base import Section


class Execution(Section):
    """How runs are executed. Nothing here belongs to a run's identity."""

    threads: int = Field(1, ge=1, le=256, description="Threads of one run; bit-identical repetition needs the same number.")
    device: Literal["auto", "cpu", "cuda"] = Field("cpu", description="Where runs train; auto takes a GPU when there is one.")
    checkpoint_seconds: float = Field(
        30.0, ge=0, le=86_400, description="A run saves its state at the first round or epoch end after this time."
    )
    together_seconds: float = Field(
        0.0,
        ge=0,
        le=3600,
        description="Runs share processes of about this length, as starting one takes seconds; 0 gives each its own. "
        "On a cluster each such process is a job, in place of those into which profiles group runs.",
    )
    batch: int = Field(
        1,
        ge=1,
        le=512,
        description="So many runs of one shape (seeds of a variant) are trained step by step together, which fills a GPU. Numbers agree "
        "with those of single runs to single precision, not to the bit; 1 trains each by itself.",
    )
    gpus: list[Annotated[int, Field(ge=0, le=63)]] = Field(
        default_factory=list,
        max_length=64,
        description="GPUs of this machine, as nvidia-smi numbers them, each lent to one run at a time; empty where a scheduler does that.",
    )

    @model_validator(mode="after")
    def _gpus_in_use(self) -> Self:
        if self.gpus and self.device == "cpu":
            raise ValueError(f"gpus is {self.gpus}, but device is cpu; set it to cuda")
        return self
