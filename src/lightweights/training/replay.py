"""Steps on a GPU, recorded once as a CUDA graph and played back: launching a small network's kernels one by one takes several times as
long as they do.

A recorded step reads and writes the same memory each time. So what it trains must be changed in place, and nothing in it may come from the
host: no number that changes from step to step, no tensor made there. What a user's own module does there is not known, so that its steps
are not recorded.
"""

from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor, nn

KNOWN = ("torch", "lightweights")
"""Packages whose modules may be recorded: a step of theirs does the same work each time."""

Step = Callable[..., tuple[Tensor, ...]]
"""Tensors in, tensors out; what it trains is changed in place."""

BEFORE = 3
"""Steps that are done one kernel at a time before one is recorded: optimisers and libraries take their memory in the first ones."""


class Replay:
    """A step of a module that is recorded for each shape of its inputs. On other devices, where the module holds code of a user's own, and
    where CUDA cannot record it, it is done as it is.

    What it returns holds until it is called again.
    """

    def __init__(self, step: Step, module: nn.Module) -> None:
        self.step = step
        own = next((type(part) for part in module.modules() if type(part).__module__.partition(".")[0] not in KNOWN), None)
        self.why_not = f"{own.__module__}.{own.__name__} may change on the host from step to step" if own else ""
        """Why the step is not recorded, if it is not."""
        self._done: Counter[tuple[torch.Size, ...]] = Counter()
        self._recorded: dict[tuple[torch.Size, ...], tuple[torch.cuda.CUDAGraph, tuple[Tensor, ...], tuple[Tensor, ...]]] = {}
        self._aside: torch.cuda.Stream | None = None

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Do the step."""
        if inputs[0].device.type != "cuda" or self.why_not:
            return self.step(*inputs)
        shapes = tuple(given.shape for given in inputs)
        if shapes not in self._recorded:
            self._done[shapes] += 1
            if self._done[shapes] <= BEFORE or not self._record(shapes, inputs):
                return self._by_itself(inputs)
        graph, places, outputs = self._recorded[shapes]
        for place, given in zip(places, inputs, strict=True):
            place.copy_(given)
        graph.replay()
        return outputs

    def _by_itself(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """On a stream of its own, as CUDA wants it before a recording."""
        self._aside = self._aside or torch.cuda.Stream()
        here = torch.cuda.current_stream()
        self._aside.wait_stream(here)
        with torch.cuda.stream(self._aside):
            found = self.step(*inputs)
        here.wait_stream(self._aside)
        return found

    def _record(self, shapes: tuple[torch.Size, ...], inputs: tuple[Tensor, ...]) -> bool:
        """Record the step without doing it; whether that was possible."""
        places, graph = tuple(given.clone() for given in inputs), torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, stream=self._aside):
                outputs = self.step(*places)
        except RuntimeError as error:
            self.why_not = str(error).splitlines()[0]
            return False
        self._recorded[shapes] = graph, places, outputs
        return True
