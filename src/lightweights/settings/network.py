"""The target network of a run."""

from pydantic import Field

from lightweights.settings.base import Arguments, Section


class NetworkSection(Section):
    name: str = Field(
        "cnn",
        pattern=r"^([a-z0-9-]+|[A-Za-z_][\w.]*:[A-Za-z_]\w*)$",
        max_length=200,
        description="Target network: cnn (two convolutions, no activation), cnn-relu (average pool, one ReLU), cnn-merlin (MerLin's), or "
        "package.module:factory, called as factory(input_shape, classes, **arguments).",
    )
    arguments: Arguments = Field(default_factory=dict, description="Keyword arguments of an imported factory.")
