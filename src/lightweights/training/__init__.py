"""Training loops. They yield after every round or epoch and write nothing; see :mod:`lightweights.study.execute` for files."""
