"""Trees of vessels in lungs and liver, and the parts of them that an axial plane shows."""

from dataclasses import dataclass

import numpy as np

from medscale.phantoms.ct_canvas import Canvas
from medscale.phantoms.ct_shapes import capsule

# Murray's law says 3; smaller vessels than it predicts look right in a lung.
BRANCHING = 2.4
SLAB_MM = 2.5
# How much a branch minds a long way to the root: 0 takes the nearest branch, 1 the shortest way.
DETOUR = 0.35


@dataclass(frozen=True)
class Tree:
    """Straight pieces of vessel.

    Attributes
    ----------
    starts, ends : ndarray, shape (n, 3)
        x, y, z in mm.
    radii : ndarray, shape (n,)
        mm.
    """

    starts: np.ndarray
    ends: np.ndarray
    radii: np.ndarray

    def draw(self, canvas: Canvas, z: float, tissue: str, over: tuple[str, ...]) -> None:
        """Paint what lies within `SLAB_MM` of height `z`."""
        low, high = np.sort(np.stack([self.starts[:, 2], self.ends[:, 2]]), axis=0)
        for i in np.flatnonzero((low <= z + SLAB_MM) & (high >= z - SLAB_MM)):
            canvas.fill(capsule(self.starts[i], self.ends[i], self.radii[i], z, SLAB_MM), tissue, over=over)


def grow_tree(root: np.ndarray, targets: np.ndarray, thinnest_mm: float, rng: np.random.Generator) -> Tree:
    """Connect every target to the root by the tree that grows outwards to the nearest branch.

    Parameters
    ----------
    root : ndarray, shape (3,)
    targets : ndarray, shape (n, 3)
        Where the vessels lead, mm.
    thinnest_mm : float
        Radius of a vessel that leads to one target.
    rng : numpy.random.Generator
        Bends the branches.
    """
    targets = targets[np.argsort(_lengths(targets - root))]
    nodes = np.empty((2 * len(targets) + 1, 3))
    nodes[0] = root
    parents = np.zeros(len(nodes), int)
    for place, target in enumerate(targets):
        last = 2 * place + 1
        near = _lengths(nodes[:last] - target)
        parent = int((near + DETOUR * _lengths(nodes[:last] - root)).argmin())
        nodes[last] = 0.5 * (nodes[parent] + target) + rng.normal(0, 0.08 * near[parent], 3)
        nodes[last + 1] = target
        parents[last : last + 2] = parent, last
    flow = (np.arange(len(nodes)) % 2 == 0).astype(float)
    for node in range(len(nodes) - 1, 0, -1):
        flow[parents[node]] += flow[node]
    return Tree(nodes[parents[1:]], nodes[1:], thinnest_mm * flow[1:] ** (1 / BRANCHING))


def _lengths(steps: np.ndarray) -> np.ndarray:
    return np.sqrt((steps**2).sum(axis=1))
