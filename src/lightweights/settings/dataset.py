"""The data set of a run."""

from pydantic import Field

from lightweights.settings.base import Arguments, Section, Seed


class DatasetSection(Section):
    name: str = Field(
        "mnist-partial",
        pattern=r"^(none|digits|mnist-partial|mnist|fashion-mnist|cifar-10|[A-Za-z_][\w.]*:[A-Za-z_]\w*)$",
        max_length=200,
        description="Data set to train on (none for runs that need no data); or package.module:factory, called as factory(**arguments) "
        "(docs/own_data.md).",
    )
    arguments: Arguments | None = Field(None, description="Keyword arguments of an imported factory.")
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="Digest that the data of an imported factory must have; not checked unless set."
    )
    test_fraction: float = Field(
        0.25, ge=0.05, le=0.5, description="Share of the digits held out for testing; the other sets come with their own split."
    )
    split_seed: Seed = Field(0, description="Seed of the digits' stratified split.")
