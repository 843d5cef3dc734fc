"""A score for quantum processors, and what the optimiser has to do with it."""
