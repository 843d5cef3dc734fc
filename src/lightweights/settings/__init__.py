"""Every setting of a study, one section a file: the only place that knows names, types, defaults and bounds.

``params.yaml`` and the chapters' ``experiments.yaml`` make a :class:`~lightweights.settings.study.Study`: sections that its runs share, and
experiments. An experiment names a method, its seeds, and what it varies. Expanding it gives
:class:`~lightweights.settings.runs.RunSettings`: all that decides the numbers of a run, seed aside.
"""
