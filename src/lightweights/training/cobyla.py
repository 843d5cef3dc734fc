"""COBYLA without constraints in two implementations, both with SciPy's defaults: first step 1, last step 1e-4.

Powell's own (M. J. D. Powell, in Advances in Optimization and Numerical Analysis, Kluwer 1994, p. 51; his code, which SciPy had up to its
version 1.15) is what results of before 2025 were made with. SciPy's since version 1.16 is a new one, PRIMA. Without constraints Powell's
method is short enough to stand here: n + 1 points carry a linear model, each step goes its steepest way by the length rho, a flat simplex
is mended, and rho is halved where the model no longer helps.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Reals = NDArray[np.float64]
Objective = Callable[[Reals], float]

FIRST_STEP, LAST_STEP = 1.0, 1e-4
SHORTEST, LONGEST, MENDED, FAR = 0.25, 2.1, 0.5, 1.1
"""Powell's alpha, beta, gamma, delta, in units of rho: least distance of a point from the face of the others, largest from the best point,
length of a mending step, distance from which a point is preferred for replacement.
"""


def scipy_cobyla(objective: Objective, start: Reals, most: int = 10_000) -> Reals:
    """The last point of SciPy's COBYLA, after at most ``most`` evaluations."""
    options = {"rhobeg": FIRST_STEP, "tol": LAST_STEP, "maxiter": most}
    return np.asarray(minimize(objective, start, method="COBYLA", options=options).x)


def powell_cobyla(objective: Objective, start: Reals, most: int = 10_000) -> Reals:
    """The last point of Powell's COBYLA, after at most ``most`` evaluations; its last trial, as there, not the best of all."""
    simplex = Simplex(objective, start, FIRST_STEP)
    rho, may_mend = FIRST_STEP, False
    while simplex.evaluations < most:
        simplex.put_best_first()
        if not simplex.is_sound():
            return simplex.best
        slope = simplex.inverse.T @ (simplex.values - simplex.lowest)
        heights = 1 / np.linalg.norm(simplex.inverse, axis=1)
        lengths = np.linalg.norm(simplex.edges, axis=1)
        flat = bool((heights < SHORTEST * rho).any() or (lengths > LONGEST * rho).any())
        if may_mend and flat:
            simplex.mend(slope, heights, lengths, rho)
            may_mend = False
            continue
        steepness = float(np.linalg.norm(slope))
        improves = False
        trial = None
        if steepness > 0:
            step = -rho * slope / steepness
            trial = simplex.best + step
            value = objective(trial)
            simplex.evaluations += 1
            gain = simplex.lowest - value
            improves = simplex.accept(step, value, gain, heights, lengths, rho) and gain > 0 and gain >= 0.1 * rho * steepness
        if improves:
            may_mend = False
        elif flat:
            may_mend = True
        elif rho > LAST_STEP:
            rho = LAST_STEP if rho / 2 <= 1.5 * LAST_STEP else rho / 2
            may_mend = False
        else:
            return simplex.best if trial is None else trial
    return simplex.best


class Simplex:
    """A best point, n edges to the others (row by row) with the values at their ends, and the inverse of the matrix of edges' transpose."""

    def __init__(self, objective: Objective, start: Reals, rho: float) -> None:
        self.objective, n = objective, len(start)
        self.best, self.lowest = np.array(start, float), objective(np.array(start, float))
        self.edges, self.values = rho * np.eye(n), np.zeros(n)
        self.evaluations = n + 1
        for j in range(n):  # a vertex that is better becomes the best one, from which the next are set out
            point = self.best.copy()
            point[j] += rho
            value = objective(point)
            if value < self.lowest:
                self.best, self.lowest, value = point, value, self.lowest
                self.edges[: j + 1, j] = -rho
            self.values[j] = value
        self.inverse = np.linalg.inv(self.edges).T

    def put_best_first(self) -> None:
        """Make the lowest vertex the one from which the edges start."""
        j = int(self.values.argmin())
        if self.values[j] >= self.lowest:
            return
        moved = self.edges[j].copy()
        self.edges[j] = 0
        self.edges -= moved
        self.inverse[j] = -self.inverse.sum(0)
        self.best = self.best + moved
        self.lowest, self.values[j] = self.values[j], self.lowest

    def is_sound(self) -> bool:
        """Whether rounding has left the inverse an inverse."""
        return bool(np.abs(self.inverse @ self.edges.T - np.eye(len(self.best))).max() <= 0.1)

    def mend(self, slope: Reals, heights: Reals, lengths: Reals, rho: float) -> None:
        """Replace the farthest vertex, or else the one nearest to the face of the others, by one above or below that face."""
        j = int(lengths.argmax()) if lengths.max() > LONGEST * rho else int(heights.argmin())
        step = MENDED * rho * heights[j] * self.inverse[j]
        if slope @ step > 0:
            step = -step
        self.replace(j, step, self.objective(self.best + step))
        self.evaluations += 1

    def accept(self, step: Reals, value: float, gain: float, heights: Reals, lengths: Reals, rho: float) -> bool:
        """Let a trial point replace a vertex where that keeps the simplex from flattening; whether it did."""
        if value == self.lowest:
            gain = 0.0
        volumes = np.abs(self.inverse @ step)
        dropped = int(volumes.argmax()) if volumes.max() > (0.0 if gain > 0 else 1.0) else None
        sigma = volumes * heights
        distances = np.linalg.norm(step - self.edges, axis=1) if gain > 0 else lengths
        far = np.where((sigma >= SHORTEST * rho) | (sigma >= heights), distances, 0.0)
        if far.max() > FAR * rho:
            dropped = int(far.argmax())
        if dropped is None:
            return False
        self.replace(dropped, step, value)
        return True

    def replace(self, j: int, step: Reals, value: float) -> None:
        """Let edge j end at best + step, where the objective is ``value``; the inverse follows by a rank-one update."""
        self.edges[j] = step
        self.inverse[j] /= self.inverse[j] @ step
        shares = self.inverse @ step
        shares[j] = 0
        self.inverse -= np.outer(shares, self.inverse[j])
        self.values[j] = value
