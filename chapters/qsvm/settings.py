"""A run of this chapter: one pair of classes, one number of qubits, one split; all kernels on the same images."""

from typing import Literal

from pydantic import Field

from lightweights.settings.base import Section
from lightweights.settings.runs import RunSettings, Work


class PairSection(Section):
    """What is told apart, and with how many qubits."""

    classes: tuple[int, int] = Field((7, 9), description="The two classes that are told apart.")
    images: int = Field(1000, ge=20, le=100_000, description="How many images of these classes, the first of the training images.")
    qubits: int = Field(8, ge=1, le=100_000, description="Qubits of the kernel, and principal components of the images.")


class QsvmSchedule(Section):
    """How much is compared."""

    protocol: Literal["qsvm"] = "qsvm"
    rounds: int = Field(9, ge=1, le=9, description="How many of the kernels are compared, in their order.")


class QsvmRun(RunSettings):
    """Kernels compared on one split."""

    version, schedules, trainer = 1, ("qsvm",), "chapters.qsvm.method"

    method: Literal["qsvm"]
    pair: PairSection
    schedule: QsvmSchedule

    def work(self) -> Work:
        """Seventeen quantum kernels and eight without CX, of each pair of images and each qubit; nothing else counts."""
        return Work("qsvm", self.pair.qubits * self.pair.images**2 * self.schedule.rounds / 1e9)
