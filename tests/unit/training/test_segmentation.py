import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from medscale.networks.registry import build_network
from medscale.training.batches import EpochBatches
from medscale.training.fitting import fit
from medscale.training.optimisation import Optimisation, Pace, Plateau, build_optimiser
from medscale.training.segmentation import (
    Classes,
    Segmentation,
    SegmentationBatch,
    count_overlaps,
    dice_of_classes,
)
from medscale.training.segmentation_losses import build_loss, weighted_jaccard
from medscale.training.spatial_augmentation import SpatialAugmentation

CPU = torch.device("cpu")
EPOCHS, SAMPLES, SIZE = 4, 10, 16
CLASSES = Classes(("background", "kidney", "tumour"), (0.5, 2.0, 5.0))
ADAM = Optimisation(learning_rate=0.01)
WATCHED = [[0, 1, 2], [3, 4, 5, 6]]


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


class Discs(Dataset):
    """Bright discs with a brighter middle; `stop_at` raises like a kill after so many batches."""

    def __init__(self, seed=0, stop_at=None, slices=None):
        rng = np.random.default_rng(seed)
        places = rng.uniform(4, SIZE - 4, (SAMPLES, 2, 1, 1))
        rows, columns = np.mgrid[:SIZE, :SIZE]
        away = np.hypot(rows - places[:, 0], columns - places[:, 1])
        labels = (away < 5).astype(np.uint8) + (away < 2)
        images = 60 + 60 * labels + rng.integers(0, 40, labels.shape)
        if slices:
            labels, images = (np.repeat(part[:, None], slices, axis=1) for part in (labels, images))
        self.images, self.labels = torch.from_numpy(images.astype(np.uint8)), torch.from_numpy(labels)
        self.left = stop_at

    def __getitem__(self, numbers):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
        rows = np.asarray(numbers) % SAMPLES
        return SegmentationBatch(self.images[rows], self.labels[rows], np.asarray(numbers, np.int64))


class Small(nn.Module):
    """Two convolutions, with batch norm and dropout if wanted."""

    def __init__(self, dimensions=2, dropout=0.0, norm=True):
        super().__init__()
        torch.manual_seed(1)
        convolution, batch_norm = (
            (nn.Conv2d, nn.BatchNorm2d) if dimensions == 2 else (nn.Conv3d, nn.BatchNorm3d)
        )
        self.dimensions = dimensions
        self.layers = nn.Sequential(
            convolution(1, 6, 3, padding=1),
            batch_norm(6) if norm else nn.Identity(),
            nn.ReLU(),
            nn.Dropout(dropout),
            convolution(6, 3, 3, padding=1),
        )

    def forward(self, x):
        return self.layers(x)


def _task(network=None, loss="weighted_dice", optimisation=ADAM, **settings):
    loss = build_loss(loss, CLASSES.weights)
    return Segmentation(network or Small(), loss, CLASSES, optimisation, epochs=EPOCHS, **settings)


def _train(folder, task, watched=True, stop_at=None, slices=None):
    order = EpochBatches(SAMPLES, 4, seed=3, numbered=True)
    train = DataLoader(Discs(0, stop_at, slices), sampler=order, batch_size=None)
    validation = DataLoader(Discs(1, slices=slices), sampler=WATCHED, batch_size=None) if watched else None
    fit(task, train, validation, epochs=EPOCHS, device=CPU, checkpoints=folder / "checkpoints")
    return task


def _by_hand(network, rate_of_update, augmentation=None):
    """The same training as a plain loop; returns the history."""
    discs, watched, order = Discs(0), Discs(1), EpochBatches(SAMPLES, 4, seed=3, numbered=True)
    optimiser = torch.optim.Adam(network.parameters())
    loss_of, history, update = build_loss("weighted_dice", CLASSES.weights), [], 0
    for epoch in range(EPOCHS):
        order.set_epoch(epoch)
        network.train()
        total = 0.0
        for numbers in order:
            batch = discs[numbers]
            images, labels = batch.images / 255, batch.labels
            if augmentation:
                images, labels = augmentation.apply(images, labels, batch.seeds, epoch)
            optimiser.param_groups[0]["lr"] = rate_of_update(update)
            optimiser.zero_grad()
            loss = loss_of(network(images[:, None]), labels)
            loss.backward()
            optimiser.step()
            total, update = total + loss.item() * len(numbers), update + 1
        network.eval()
        batch = watched[list(range(7))]
        with torch.no_grad():
            logits = network(batch.images[:, None] / 255)
        record = {
            "epoch": epoch + 1,
            "learning_rate": rate_of_update(update - 1),
            "train_loss": total / SAMPLES,
        }
        history.append(record | _scores(logits, batch.labels, loss_of))
    return history


def _scores(logits, labels, loss_of):
    predicted, dice = logits.argmax(1), []
    for number in (1, 2):
        ours, true = predicted == number, labels == number
        dice.append(2 * (ours & true).sum().item() / (ours.sum() + true.sum()).item())
    return {
        "validation_loss": loss_of(logits, labels).item(),
        "validation_weighted_jaccard": weighted_jaccard(logits.softmax(1), labels, CLASSES.weights).item(),
        "validation_dice_kidney": dice[0],
        "validation_dice_tumour": dice[1],
    }


def _assert_same_history(history, expected, rel=1e-6):
    assert [list(record) for record in history] == [list(record) for record in expected]
    for record, other in zip(history, expected, strict=True):
        assert record == pytest.approx(other, rel=rel)


def _assert_same_weights(one, other):
    for name, value in one.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name


@pytest.mark.parametrize("augmentation", [None, SpatialAugmentation()])
def test_training_is_that_of_a_plain_loop(tmp_path, augmentation):
    """Two epochs of warm-up; three batches an epoch, of 4, 4 and 2 samples."""
    task = _train(tmp_path, _task(pace=Pace(warmup_epochs=2), augmentation=augmentation))
    network = Small().to(memory_format=torch.channels_last)
    history = _by_hand(network, lambda update: 0.01 * min(1, (update + 1) / 6), augmentation)
    _assert_same_history(task.history, history)
    _assert_same_weights(task.network, network)
    assert task.history[-1]["train_loss"] < task.history[0]["train_loss"]


def test_the_plateau_lowers_the_rate_of_the_epochs_after_it(tmp_path):
    plateau = Plateau(patience=1, factor=0.5, least_change=10.0)  # nothing is an improvement but the first
    task = _train(tmp_path, _task(pace=Pace(plateau=plateau)))
    rates = [record["learning_rate"] for record in task.history]
    assert rates == pytest.approx([0.01, 0.01, 0.005, 0.0025])
    network = Small().to(memory_format=torch.channels_last)
    _assert_same_history(task.history, _by_hand(network, lambda update: rates[update // 3]))


def test_the_cosine_falls_beside_the_warm_up(tmp_path):
    cosine = Optimisation(learning_rate=0.02, schedule="cosine")
    task = _train(tmp_path, _task(optimisation=cosine, pace=Pace(warmup_epochs=1)))
    last_of_epoch = [(3 * epoch + 2) / (3 * EPOCHS) for epoch in range(EPOCHS)]
    expected = [0.01 * (1 + np.cos(np.pi * progress)) for progress in last_of_epoch]
    assert [record["learning_rate"] for record in task.history] == pytest.approx(expected)


def test_a_killed_training_resumes_to_the_same_bytes(tmp_path):
    """With dropout, augmentation, and a rate that depends on the losses before the kill."""
    settings = {
        "pace": Pace(1, Plateau(patience=1, factor=0.5, least_change=10.0)),
        "augmentation": SpatialAugmentation(),
        "seed": 5,
    }
    whole = _train(tmp_path / "whole", _task(Small(dropout=0.3), **settings))
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        _train(tmp_path / "killed", _task(Small(dropout=0.3), **settings), stop_at=8)  # in the third epoch
    torch.manual_seed(77)
    resumed = _train(tmp_path / "killed", _task(Small(dropout=0.3), **settings))
    assert resumed.history == whole.history
    _assert_same_weights(resumed.network, whole.network)
    other = _train(tmp_path / "other", _task(Small(dropout=0.3), **{**settings, "seed": 6}))
    assert other.history[0]["train_loss"] != whole.history[0]["train_loss"]


def test_validation_does_not_depend_on_its_batches(tmp_path, monkeypatch):
    one = _train(tmp_path / "one", _task())
    monkeypatch.setitem(globals(), "WATCHED", [[6, 0], [1, 2, 3, 4], [5]])
    _assert_same_history(_train(tmp_path / "other", _task()).history, one.history, rel=1e-6)


def test_without_validation_nothing_is_said_of_it(tmp_path):
    task = _train(tmp_path, _task(), watched=False)
    assert [list(record) for record in task.history] == [["epoch", "learning_rate", "train_loss"]] * EPOCHS


def test_blocks_are_trained_on_like_slices(tmp_path):
    task = _train(tmp_path, _task(Small(dimensions=3), augmentation=SpatialAugmentation()), slices=3)
    assert task.history[-1]["train_loss"] < task.history[0]["train_loss"]
    assert task.network.layers[0].weight.is_contiguous(memory_format=torch.channels_last_3d)


@pytest.mark.parametrize("name", ["unet2d", "pspnet_small"])
def test_networks_of_the_registry_learn_the_discs(tmp_path, name):
    narrow = build_network(name, 1, width=8, norm_momentum=0.1)
    task = _train(tmp_path, _task(narrow, loss="cross_entropy"))
    assert task.history[-1]["train_loss"] < 0.8 * task.history[0]["train_loss"]


def test_mixed_precision_keeps_weights_and_loss_in_float32(tmp_path):
    full = _train(tmp_path / "full", _task())
    task, dtypes = _task(precision="bfloat16"), set()
    task.network.layers[0].register_forward_hook(lambda _, given, result: dtypes.add(result.dtype))
    _train(tmp_path / "mixed", task)
    assert dtypes == {torch.bfloat16}
    assert all(weight.dtype == torch.float32 for weight in task.network.parameters())
    losses = [[record["train_loss"] for record in one.history] for one in (task, full)]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)


def test_only_what_is_learned_lies_in_the_checkpoint():
    task = _task()
    assert {name.split(".")[0] for name in task.state_dict()} == {"network"}


def test_dice_counts_pixels_of_each_class():
    predicted = torch.tensor([[0, 1, 1, 2], [0, 0, 1, 1]])
    labels = torch.tensor([[0, 1, 2, 2], [0, 1, 1, 0]], dtype=torch.uint8)
    counts = count_overlaps(predicted, labels, 4)
    assert counts.tolist() == [[2, 2, 1, 0], [1, 1, 1, 0], [1, 2, 0, 0]]
    # 4 / 6 of the background, 4 / 7 of class 1, 2 / 3 of class 2; class 3 neither is nor is predicted.
    assert dice_of_classes(counts).tolist() == pytest.approx([4 / 6, 4 / 7, 2 / 3, 1])


def test_a_network_of_the_thesis_pulls_its_kernels_to_zero():
    network = build_network("unet2d", 0, width=4)
    optimiser = build_optimiser(network, Optimisation(weight_decay=2e-4, decayed="kernels"))
    sizes = [sum(weight.numel() for weight in group["params"]) for group in optimiser.param_groups]
    assert [group["weight_decay"] for group in optimiser.param_groups] == [2e-4, 0.0]
    assert sum(sizes) == sum(weight.numel() for weight in network.parameters())
