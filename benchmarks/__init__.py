"""How fast Lightweights is, measured against its peers: ``python -m benchmarks`` (see docs/benchmarks.md)."""
