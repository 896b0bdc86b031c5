"""Demo subjects with brain volumes: who they are, what ails them, and how their heads look."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from medscale.errors import InputError
from medscale.seeds import generator

CONTROL, PATIENT = "control", "patient"
LABELS = (CONTROL, PATIENT)
# Patients are older and more often women; each part of a head differs too, and all ranges overlap.
AGE_YEARS = {CONTROL: (65.0, 7.5), PATIENT: (74.0, 7.5)}
AGES_YEARS = (45.0, 92.0)
WOMEN = {CONTROL: 0.25, PATIENT: 0.75}
VENTRICLE = {CONTROL: 1.0, PATIENT: 1.22}
VENTRICLE_SPREAD, VENTRICLE_PER_YEAR, MIDDLE_AGE = 0.15, 0.003, 70.0
LESIONS = {CONTROL: 4.0, PATIENT: 10.0}
# Gamma distributed rates make counts of one class differ more than chance alone does.
LESION_SHAPE = 3.0
LESION_MM = (3.0, 6.0)
# Around the ventricles, in shares of the half axes of the brain.
LESION_PLACES = (0.32, 0.7)
HEAD_MM = (74.0, 94.0, 84.0)


@dataclass(frozen=True)
class SubjectPlan:
    """What a demo subject looks like, before any voxel; lengths in mm, axes to right, front and head.

    Attributes
    ----------
    subject, label : str
        Label is `control` or `patient`.
    age : float
        Years.
    sex : {"F", "M"}
    head_mm : ndarray, shape (3,)
        Half axes of the head.
    middle_mm : ndarray, shape (3,)
        Middle of the head in the space of the scanner.
    turn : ndarray, shape (3,)
        Turns about the three axes, rad.
    ventricle : float
        Size of the ventricles; 1 is that of controls of 70 years.
    shrinkage_mm : float
        Width of the fluid around the brain.
    lesions : ndarray, shape (n, 4)
        Middle, as shares of the half axes of the brain, and radius in mm.
    folds : ndarray, shape (3,)
        Phases of the folded bark, rad.
    seed : int
        Draws shading and noise, with the name.
    """

    subject: str
    label: str
    age: float
    sex: str
    head_mm: np.ndarray
    middle_mm: np.ndarray
    turn: np.ndarray
    ventricle: float
    shrinkage_mm: float
    lesions: np.ndarray
    folds: np.ndarray
    seed: int


def plan_subject(subject: str, label: str, seed: int) -> SubjectPlan:
    """Decide who a demo subject is and what the head looks like, from name, class and seed.

    The ventricles grow with age in both classes, so that they tell more to who knows the age.

    Raises
    ------
    InputError
        If there is no such class.
    """
    if label not in LABELS:
        found, expected = f"the class {label}", f"one of {', '.join(LABELS)}"
        raise InputError(subject, found, expected, "Correct the sheet of demo subjects.")
    rng = generator(seed, "demo subject", subject, "plan")
    age = float(np.clip(rng.normal(*AGE_YEARS[label]), *AGES_YEARS))
    sex = "F" if rng.random() < WOMEN[label] else "M"
    growth = VENTRICLE_PER_YEAR * (age - MIDDLE_AGE) + rng.normal(0, VENTRICLE_SPREAD)
    count = rng.poisson(LESIONS[label] * rng.gamma(LESION_SHAPE) / LESION_SHAPE)
    return SubjectPlan(
        subject=subject,
        label=label,
        age=round(age, 1),
        sex=sex,
        head_mm=np.array(HEAD_MM) * rng.uniform(0.94, 1.06, 3),
        middle_mm=rng.normal(0, (3.0, 12.0, 15.0)),
        turn=rng.normal(0, (0.06, 0.03, 0.03)),
        ventricle=float(VENTRICLE[label] * np.exp(growth)),
        shrinkage_mm=float(np.clip(3.0 + 0.08 * (age - MIDDLE_AGE) + rng.normal(0, 0.6), 1.0, 6.0)),
        lesions=_plan_lesions(int(count), rng),
        folds=rng.uniform(0, 2 * np.pi, 3),
        seed=seed,
    )


def demo_subjects(
    counts: Mapping[str, Mapping[str, int]], folder: str, seed: int, missing_share: float = 0.0
) -> pd.DataFrame:
    """Return the sheet of demo subjects, whose volumes `write_subject` writes with the same seed.

    Parameters
    ----------
    counts : mapping of str to mapping of str to int
        For each split, how many subjects of each class: `{"train": {"control": 30, "patient": 30}}`.
    folder : str
        Where their volumes lie: `{folder}/{subject}/t1.nii.gz` and `flair.nii.gz`.
    seed : int
    missing_share : float
        Share of the subjects whose age nobody wrote down.

    Returns
    -------
    DataFrame
        subject, t1, t2 (empty), flair, age, sex, class, split; all text. Subjects are numbered without
        regard to their class.
    """
    wanted = [(split, label) for split, own in counts.items() for label, n in own.items() for _ in range(n)]
    rng = generator(seed, "demo subjects")
    digits = max(3, len(str(len(wanted))))
    rows = []
    for number, place in enumerate(rng.permutation(len(wanted)), start=1):
        split, label = wanted[place]
        subject = f"sub_{number:0{digits}d}"
        plan = plan_subject(subject, label, seed)
        age = "" if rng.random() < missing_share else f"{plan.age:.1f}"
        paths = [f"{folder}/{subject}/{name}.nii.gz" for name in ("t1", "flair")]
        rows.append((subject, paths[0], "", paths[1], age, plan.sex, label, split))
    return pd.DataFrame(rows, columns=["subject", "t1", "t2", "flair", "age", "sex", "class", "split"])


def _plan_lesions(count: int, rng: np.random.Generator) -> np.ndarray:
    """Plan spots in the white matter of both sides, above the base of the brain."""
    directions = rng.normal(0, (1.0, 1.0, 0.6), (count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    places = directions * rng.uniform(*LESION_PLACES, (count, 1)) + (0, 0, 0.12)
    return np.column_stack([places, rng.uniform(*LESION_MM, count)])
