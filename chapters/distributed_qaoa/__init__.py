"""MaxCut on several small processors, and a wireless network that needs none."""

from lightweights.report.chapter import Chapter

CHAPTER = Chapter(order=22, title="Distributed optimisation", question="Distributed optimisation?")
