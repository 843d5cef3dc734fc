"""What keeps generated weights from learning, seen in the first steps of a training and told once."""

import warnings
from typing import Any

import torch
from torch import Tensor

from lightweights.light import is_plain

STEPS = 5
"""Steps in a row without any gradient that are too many: a gate that starts at 0 lets one through only after the first."""


class LearningWarning(UserWarning):
    """Weights that do not learn; says why and what to do."""


class Watch:
    """Looks at the first training calls of a generator, not at those of a study, which has checks of its own."""

    def __init__(self) -> None:
        self.calls, self.still = 0, 0

    @property
    def over(self) -> bool:
        """Whether there is nothing more to look at."""
        return self.calls >= STEPS

    def weights(self, weights: Tensor) -> None:
        """The weights of a training call, before they are used."""
        if weights.requires_grad and is_plain(weights):
            self.calls += 1
            weights.register_hook(self._gradient)

    def output(self, output: Any, inputs: tuple[Any, ...]) -> None:
        """What the first training call gives."""
        first = next((x for x in inputs if isinstance(x, Tensor)), None)
        if self.calls != 1 or not isinstance(output, Tensor) or not output.is_floating_point() or not is_plain(output):
            return
        if not bool(torch.isfinite(output.detach()).all()):
            tell(
                "the module's output is not finite with the generated weights it starts with: one of them may have to stay within bounds, "
                "such as a scale that must be positive; leave it out with only=, or start from the module's own weights with residual=True"
            )
        elif first is not None and min(output.dim(), first.dim()) and len(output) > 1 and _constant(output) and not _constant(first):
            tell(
                "the module's output is the same for all inputs with the generated weights it starts with, so that little can be learnt "
                "from it; use MPS(init_std=None), a start that learns, or residual=True"
            )

    def _gradient(self, gradient: Tensor) -> None:
        self.still = 0 if bool(gradient.any()) else self.still + 1
        if self.still == STEPS:
            tell(
                f"the gradient of all generated weights was exactly 0 in {STEPS} steps: they do not learn. Either the loss does not depend "
                "on them, or they start too close to 0; use MPS(init_std=None), a start that learns, or residual=True"
            )


def _constant(values: Tensor) -> bool:
    return bool((values.detach() == values.detach()[:1]).all())


def tell(words: str) -> None:
    """Warn, pointing to the caller's line as well as can be."""
    warnings.warn(words, LearningWarning, stacklevel=5)
