"""A score for quantum processors, and what the optimiser has to do with it."""

from lightweights.report.chapter import Chapter

CHAPTER = Chapter(order=21, title="A score for processors", question="A score for processors?")
