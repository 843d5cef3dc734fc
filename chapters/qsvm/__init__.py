"""The 784-qubit quantum kernel, on a CPU and beside its controls."""
