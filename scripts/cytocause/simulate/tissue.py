"""What moves all cells of a chip alike, and the cells that change little: drift of the gel, depth, fibroblasts.

    drift    v(y, x, t) = sum of a few long waves whose strengths wander (OU processes): neighbours move together
    depth    each cell's height over the focal plane wanders around 0 (an OU process), daughters start at the mother's
    caf      long, slow cells that turn rarely and turn back at the border

Each has its own random stream, so switching one off leaves all others as they are.
"""

import numpy as np

N_WAVES = 3  # of the drift, beside its uniform part


class Drift:
    """A slow common displacement of the gel, of root mean square drift_um_h."""

    def __init__(self, tissue, rng):
        self.rms = tissue["drift_um_h"] / 60.0 / np.sqrt(2.0)  # um/min and component
        self.memory, self.rng = tissue["memory_min"], rng
        if self.rms > 0:
            turn = rng.uniform(0.0, 2 * np.pi, N_WAVES)
            length = tissue["scale_um"] * rng.uniform(0.7, 1.4, N_WAVES)
            self.ky, self.kx = 2 * np.pi * np.sin(turn) / length, 2 * np.pi * np.cos(turn) / length
            self.shift = rng.uniform(0.0, 2 * np.pi, N_WAVES)
            self.strength = rng.normal(0.0, 1.0, (2, N_WAVES + 1))

    def step(self, minutes):
        """Let the field change for some minutes."""
        if self.rms > 0:
            kept = np.exp(-minutes / self.memory)
            new = self.rng.normal(0.0, 1.0, self.strength.shape)
            self.strength = kept * self.strength + np.sqrt(1 - kept * kept) * new

    def displacement(self, y, x, minutes):
        """How far the gel carries cells at y, x (n,) in um within some minutes: dy, dx (n,)."""
        if self.rms == 0:
            return np.zeros_like(y), np.zeros_like(x)
        waves = np.sqrt(2.0) * np.cos(self.ky[:, None] * y + self.kx[:, None] * x + self.shift[:, None])
        basis = np.concatenate([np.ones((1, y.size)), waves])
        return tuple(self.rms * minutes * (self.strength @ basis) / np.sqrt(N_WAVES + 1))


class Depth:
    """Distances from the focal plane, one OU process per cell."""

    def __init__(self, tissue, minutes, rng):
        self.sd, self.rng = tissue["depth_sd_um"], rng
        self.kept = np.exp(-minutes / tissue["depth_memory_min"])

    def start(self):
        """Depth of a new cell in um."""
        return float(self.rng.normal(0.0, self.sd)) if self.sd > 0 else 0.0

    def step(self, depth):
        """Depths (n,) one step later."""
        if self.sd == 0:
            return depth
        return self.kept * depth + np.sqrt(1 - self.kept**2) * self.rng.normal(0.0, self.sd, depth.size)


class Fibroblasts:
    """The CAF of one chip; none where the model or the chip has none."""

    def __init__(self, population, count, field, rng):
        self.p, self.rng = population, rng
        self.low, self.top, self.right = field
        n = count if population else 0
        self.y, self.x = rng.uniform(self.low, self.top, n), rng.uniform(self.low, self.right, n)
        self.heading = rng.uniform(-np.pi, np.pi, n)
        self.depth = np.zeros(n)
        self.speed = np.zeros(n)  # realised, um/min
        self.area = self.aspect = np.zeros(0)
        if n:
            self.area = np.pi * population["diameter_um"] ** 2 / 4 * np.exp(rng.normal(0.0, 0.15, n))
            self.aspect = np.clip(population["elongation"] * np.exp(rng.normal(0.0, 0.15, n)), 0.05, 2.5)

    @property
    def radius(self):
        """Of the disc of the same area, in um."""
        return np.sqrt(self.area / np.pi)

    def turn(self, minutes):
        """New directions and paces (um/min) for one step."""
        n = self.y.size
        if n:
            self.heading = self.heading + np.sqrt(2 * minutes / self.p["persistence_min"]) * self.rng.normal(0.0, 1.0, n)
        return np.full(n, self.p["speed_um_min"] if n else 0.0)

    def settle(self, y, x, minutes):
        """Take new positions, turning back at the border."""
        before = self.y, self.x
        over_y, over_x = (y < self.low) | (y > self.top), (x < self.low) | (x > self.right)
        self.heading = np.where(over_y, -self.heading, self.heading)
        self.heading = np.where(over_x, np.pi - self.heading, self.heading)
        self.y, self.x = np.clip(y, self.low, self.top), np.clip(x, self.low, self.right)
        self.speed = np.hypot(self.y - before[0], self.x - before[1]) / minutes

    def rows(self):
        """One frame of History.caf."""
        n = self.y.size
        none = np.zeros(n)
        return {
            "track_id": np.arange(1, n + 1), "y_um": self.y.copy(), "x_um": self.x.copy(), "depth_um": self.depth.copy(),
            "angle": self.heading.copy(), "area_um2": self.area.copy(), "aspect_ln": self.aspect.copy(),
            "phase": np.zeros(n, np.int64), "progress": none.copy(), "condensation": np.ones(n), "cycle": none.copy(),
            "speed_um_min": self.speed.copy(),
        }  # fmt: skip
