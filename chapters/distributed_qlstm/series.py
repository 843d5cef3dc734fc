"""The series that the forecasters are asked to continue, made from their equations.

- ``oscillator``: angular velocity of a damped pendulum, theta'' = -(b/m) theta' - (g/l) sin theta with g = 9.81, b = 0.15, l = m = 1,
  from theta = 0, theta' = 3; 240 points on [0, 20] (Chen et al., arXiv 2009.01783).
- ``narma2``: y[t+1] = 0.4 y[t] + 0.4 y[t] y[t-1] + 0.6 u[t]^3 + 0.1 from y = 0, with the input u[t] = 0.1 (sin(2 pi 2.11 t/100)
  sin(2 pi 3.73 t/100) sin(2 pi 4.11 t/100) + 1) (Fujii and Nakajima, Phys. Rev. Applied 8, 024030); 300 points.
- ``narma2-random``: the same system with inputs uniform in [0, 0.5), which a forecaster that sees y alone cannot know; 300 points.
- ``mackey-glass``: x' = 0.2 x(t-17) / (1 + x(t-17)^10) - 0.1 x from x = 1.2 up to time 0 (Mackey and Glass, Science 197, 287), every
  6 units from 120 on, so that four values and the next are x(t-18), x(t-12), x(t-6), x(t) and x(t+6); 300 points.

Differential equations are solved by DOP853 to 1e-12 relative and 1e-13 absolute; the delayed one interval of 17 units at a time, on
which what is delayed is known. Every series is then rounded to 1e-6, far above the solvers' error, so that its digest is the same
whatever the machine.
"""

import hashlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

Values = NDArray[np.float64]

DECIMALS = 6
_PRECISE = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-13}


def oscillator(points: int = 240, until: float = 20.0) -> Values:
    """Angular velocity of the damped pendulum, (points,)."""

    def slope(_: float, state: Values) -> list[float]:
        angle, velocity = state
        return [velocity, -0.15 * velocity - 9.81 * np.sin(angle)]

    return solve_ivp(slope, (0, until), [0.0, 3.0], t_eval=np.linspace(0, until, points), **_PRECISE).y[1]


def narma2(inputs: Values) -> Values:
    """Output of the second-order system for each input, (points,) from (points,): y[t] has seen the inputs before t."""
    y = np.zeros(len(inputs))
    for t in range(len(inputs) - 1):
        before = y[t - 1] if t else 0.0
        y[t + 1] = 0.4 * y[t] + 0.4 * y[t] * before + 0.6 * inputs[t] ** 3 + 0.1
    return y


def sinusoidal_inputs(points: int = 300) -> Values:
    """The usual inputs of the NARMA tasks, (points,)."""
    angle = 2 * np.pi * np.arange(points) / 100
    return 0.1 * (np.sin(2.11 * angle) * np.sin(3.73 * angle) * np.sin(4.11 * angle) + 1)


def random_inputs(points: int = 300) -> Values:
    """Inputs uniform in [0, 0.5), (points,), the same at every call: the series is a data set and no part of a run's seed."""
    return np.random.Generator(np.random.PCG64(2)).uniform(0, 0.5, points)


def mackey_glass(points: int = 300, every: float = 6.0, since: float = 120.0, delay: float = 17.0) -> Values:
    """The delay equation's x at ``since``, ``since + every``, ..., (points,)."""
    times = since + every * np.arange(points)
    found = np.empty(points)
    past: Callable[[float], Values] = lambda _: np.array([1.2])  # noqa: E731
    start, x = 0.0, 1.2
    while start <= times[-1]:

        def slope(t: float, state: Values, known: Callable[[float], Values] = past) -> Values:
            delayed = float(known(t - delay)[0])
            return 0.2 * delayed / (1 + delayed**10) - 0.1 * state

        solved = solve_ivp(slope, (start, start + delay), [x], dense_output=True, **_PRECISE)
        within = (times >= start) & (times < start + delay)
        if within.any():
            found[within] = solved.sol(times[within])[0]
        past, start, x = solved.sol, start + delay, float(solved.y[0, -1])
    return found


SERIES: dict[str, Callable[[], Values]] = {
    "oscillator": oscillator,
    "narma2": lambda: narma2(sinusoidal_inputs()),
    "narma2-random": lambda: narma2(random_inputs()),
    "mackey-glass": mackey_glass,
}


def series(name: str) -> Values:
    """A series by its name, rounded. Raises ValueError for a name that is none."""
    if name not in SERIES:
        raise ValueError(f"series {name!r}: expected one of {', '.join(SERIES)}")
    return SERIES[name]().round(DECIMALS) + 0.0  # no negative zeros


def digest(values: Values) -> str:
    """SHA-256 of the values in units of 1e-6, as little-endian int64."""
    return hashlib.sha256(np.rint(values * 10**DECIMALS).astype("<i8").tobytes()).hexdigest()
