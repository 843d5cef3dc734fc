"""Sequence models on distributed processors: is an LSTM whose gates are circuits, split over several processors, as good as a whole one?"""
