"""New slices with labels, drawn by a generator that was trained against a discriminator.

Source: the thesis, section 4.3, which names such networks as a way to enlarge the data and balance classes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from medscale.errors import InputError
from medscale.kits19.cases import CLASSES
from medscale.kits19.prepared_files import PreparedInfo, write_prepared
from medscale.kits19.sample_data import DEFAULT_LOADING, Loading, SampleDataset, SampleForm
from medscale.kits19.slices_and_blocks import tabulate_slices
from medscale.networks.registry import build_network
from medscale.seeds import derive_seed
from medscale.training.adversarial import Adversarial, Contest, draw_noise
from medscale.training.batches import EpochBatches
from medscale.training.fitting import fit
from medscale.training.models import ModelCard

BATCH = 64


@dataclass(frozen=True)
class GeneratorSettings:
    """What the training of a generator is described by in the configuration.

    Attributes
    ----------
    network, discriminator : dict
        `name` and settings; the size of the images is taken from the slices.
    samples_per_epoch : int or None
        How many slices an epoch draws; None for as many as there are.
    contest : dict
        Fields of `Contest`.
    """

    network: dict[str, Any]
    discriminator: dict[str, Any]
    batch_size: int
    epochs: int
    samples_per_epoch: int | None
    contest: dict[str, Any]


def train_generator(
    table: pd.DataFrame,
    prepared: Mapping[str, Path],
    settings: GeneratorSettings,
    *,
    seed: int,
    device: torch.device,
    checkpoints: Path,
    loading: Loading = DEFAULT_LOADING,
) -> tuple[nn.Module, ModelCard]:
    """Train a generator of slices with labels and return it with its card.

    Parameters
    ----------
    table : DataFrame
        Slices (case, slice, repeats) that the generator is to imitate.
    prepared : mapping of str to Path
        File of each case.
    seed : int
        Draws the first weights of both networks, the order of the slices, and the noise.
    checkpoints : Path
        Folder from which a killed training resumes.

    Raises
    ------
    InputError
        If these are blocks, or slices of a size for which there are no networks, or the samples cannot be
        used (see `SampleDataset`).
    """
    dataset = SampleDataset(table, prepared, 0, loading)
    if dataset.form.slices is not None:
        raise InputError("table of samples", "blocks", "slices", "Give the generator the table of slices.")
    task = _task(settings, dataset.form, seed)
    order = EpochBatches(
        len(dataset), settings.batch_size, derive_seed(seed, "order"), settings.samples_per_epoch
    )
    fit(task, dataset.load(order), None, epochs=settings.epochs, device=device, checkpoints=checkpoints)
    facts = {"samples": len(dataset), "seed": seed}
    return task.generator, _card(settings, dataset.form, facts, task.history)


def generate_slices(
    generator: nn.Module, count: int, seed: int, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """Draw slices with their labels; the first ones do not depend on how many are drawn.

    Returns
    -------
    images, labels : ndarray, uint8, shape (count, size, size)
        0 to 255 as in prepared cases, and numbers of the classes.
    """
    noise = draw_noise(generator.noise, count, seed, "generate")
    images, labels = zip(*_draw(generator.eval(), noise, device), strict=True)
    return np.concatenate(images), np.concatenate(labels)


def write_generated(
    images: np.ndarray, labels: np.ndarray, card: ModelCard, path: str | Path
) -> pd.DataFrame:
    """Write slices in the form of a prepared case and return their table.

    The case has the name of the file. Its slices are of no patient and not neighbours: their spacing is
    NaN, and no blocks are to be cut of them.

    Returns
    -------
    DataFrame
        case, slice, kidney_px, tumour_px, repeats (1).
    """
    case, window_hu = Path(path).stem, tuple(card.inputs["window_hu"])
    info = PreparedInfo(case, images.shape, (np.nan,) * 3, window_hu, card.inputs["interpolation"])
    write_prepared(path, info, images.shape[-1], zip(images, labels, strict=True), labelled=True)
    return tabulate_slices(case, labels).assign(repeats=1)


def add_generated(table: pd.DataFrame, generated: pd.DataFrame | None, share: float) -> pd.DataFrame:
    """Return a table of slices with so many generated ones that they are this share of all samples.

    The class weights remain those of the real slices.

    Parameters
    ----------
    table : DataFrame
        Slices (case, slice, ..., repeats).
    generated : DataFrame, optional
        As `write_generated` returns it; its first rows are taken.
    share : float
        At least 0, and less than 1.

    Raises
    ------
    InputError
        If the share is none, the table holds blocks, or too few slices were generated.
    """
    if not share:
        return table
    where = "generated_share"
    if not 0 < share < 1:
        raise InputError(where, str(share), "a share of at least 0 and below 1", "Correct it.")
    if "slice" not in table:
        raise InputError(where, f"{share} for blocks", "0: only slices are generated", "Set it to 0.")
    wanted = round(table["repeats"].sum() * share / (1 - share))
    present = 0 if generated is None else len(generated)
    if present < wanted:
        mend = "Generate more of them, or lower the share."
        raise InputError(where, f"{share}, with {present} generated slices", f"{wanted} of them", mend)
    return pd.concat([table, generated.iloc[:wanted]], ignore_index=True)


def _network(settings: GeneratorSettings, form: SampleForm) -> dict[str, Any]:
    return settings.network | {"size": form.size_px, "classes": len(CLASSES)}


def _task(settings: GeneratorSettings, form: SampleForm, seed: int) -> Adversarial:
    opponent = settings.discriminator | {"size": form.size_px, "classes": len(CLASSES)}
    return Adversarial(
        build_network(seed=derive_seed(seed, "weights"), **_network(settings, form)),
        build_network(seed=derive_seed(seed, "discriminator"), **opponent),
        Contest(**settings.contest),
        classes=len(CLASSES),
        seed=seed,
    )


def _card(
    settings: GeneratorSettings, form: SampleForm, facts: dict[str, int], history: list[dict[str, float]]
) -> ModelCard:
    described = asdict(settings) | facts
    del described["network"]
    inputs = {
        "channels": ["image", *CLASSES],
        "size_px": form.size_px,
        "window_hu": list(form.window_hu),
        "interpolation": form.interpolation,
    }
    return ModelCard(_network(settings, form), inputs, described, history)


def _draw(
    generator: nn.Module, noise: torch.Tensor, device: torch.device
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    with torch.inference_mode():
        for part in noise.split(BATCH):
            drawn = generator(part.to(device)).float()
            images = (drawn[:, 0] * 255).round().clamp(0, 255).byte()
            yield images.cpu().numpy(), drawn[:, 1:].argmax(dim=1).byte().cpu().numpy()
