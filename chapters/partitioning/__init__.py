"""Cut a circuit over several processors: by a partitioner, and what a photonic circuit loses by it."""
