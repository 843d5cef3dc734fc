"""Kinds of run: what each checks before it starts, how it is trained, and what is told of it (:mod:`lightweights.methods.method`)."""
