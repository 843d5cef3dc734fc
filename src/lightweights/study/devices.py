"""Devices under their former address; they live in :mod:`lightweights.methods.devices`."""

from lightweights.methods.devices import backend_of, check_devices, circuits_of, hardware_of

__all__ = ["backend_of", "check_devices", "circuits_of", "hardware_of"]
