"""Teachers and students under their former address; they live in :mod:`lightweights.methods.distillation`."""

from lightweights.methods.distillation import distillation_data, interferometer, new_student, new_teacher

__all__ = ["distillation_data", "interferometer", "new_student", "new_teacher"]
