"""Cut a circuit over several processors: by a partitioner, and what a photonic circuit loses by it."""

from lightweights.report.chapter import Chapter

CHAPTER = Chapter(order=23, title="Cutting circuits", question="Cutting circuits?")
