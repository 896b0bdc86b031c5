import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from medscale.errors import InputError
from medscale.networks.registry import build_network
from medscale.training.batches import EpochBatches
from medscale.training.fitting import fit
from medscale.training.mask_losses import MASK_LOSSES, overlap_ratios
from medscale.training.mask_segmentation import MaskBatch, MaskSegmentation
from medscale.training.optimisation import Optimisation
from medscale.training.spatial_augmentation import SpatialAugmentation

CPU = torch.device("cpu")
EPOCHS, SAMPLES, SIZE, NORMAL = 4, 11, 16, (2, 6, 9)
ADAM = Optimisation(learning_rate=0.01)
STILL = Optimisation("sgd", learning_rate=0.0, momentum=0.0)


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


class Lumps(Dataset):
    """Dark discs on a brighter ground, some images without; `stop_at` raises like a kill."""

    def __init__(self, seed=0, emptied=(), stop_at=None):
        rng = np.random.default_rng(seed)
        places = rng.uniform(4, SIZE - 4, (SAMPLES, 2, 1, 1))
        rows, columns = np.mgrid[:SIZE, :SIZE]
        masks = np.hypot(rows - places[:, 0], columns - places[:, 1]) < 4
        masks[list(NORMAL)] = False
        images = 150 - 90 * masks + rng.integers(0, 60, masks.shape)
        self.images = torch.from_numpy(images.astype(np.uint8))
        self.masks = torch.from_numpy(masks.astype(np.uint8))
        self.kept = torch.tensor([sample not in emptied for sample in range(SAMPLES)])
        self.left = stop_at

    def __getitem__(self, numbers):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
        rows = np.asarray(numbers) % SAMPLES
        return MaskBatch(self.images[rows], self.masks[rows], self.kept[rows], np.asarray(numbers, np.int64))


class Small(nn.Module):
    """Two convolutions, with dropout and batch norm if wanted."""

    def __init__(self, dropout=0.0, norm=True):
        super().__init__()
        torch.manual_seed(1)
        self.layers = nn.Sequential(
            nn.Conv2d(1, 6, 3, padding=1),
            nn.BatchNorm2d(6) if norm else nn.Identity(),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Conv2d(6, 1, 3, padding=1),
        )

    def forward(self, x):
        return self.layers(x)


def _train(folder, task, *, emptied=(), stop_at=None, batch_size=4, watched=True):
    order = EpochBatches(SAMPLES, batch_size, seed=3, numbered=True)
    train = DataLoader(Lumps(0, emptied, stop_at), sampler=order, batch_size=None)
    validation = DataLoader(Lumps(1, emptied), sampler=[[0, 1, 2], [3, 4, 5, 6, 7]], batch_size=None)
    fit(
        task,
        train,
        validation if watched else None,
        epochs=EPOCHS,
        device=CPU,
        checkpoints=folder / "checkpoints",
    )
    return task


def _by_hand(network, loss, emptied, augmentation):
    """The same training as a plain loop; returns the history."""
    lumps, watched = Lumps(0, emptied), Lumps(1, emptied)
    optimiser = torch.optim.Adam(network.parameters(), 0.01)
    order, history = EpochBatches(SAMPLES, 4, seed=3, numbered=True), []
    for epoch in range(EPOCHS):
        order.set_epoch(epoch)
        network.train()
        losses, ratios = [], []
        for numbers in order:
            batch = lumps[numbers]
            images, masks = batch.images / 255, batch.masks
            if augmentation:
                images, masks = augmentation.apply(images, masks, batch.seeds, epoch)
            optimiser.zero_grad()
            logits = network(images[:, None])[:, 0]
            each = MASK_LOSSES[loss](logits, masks, batch.kept)
            each.mean().backward()
            optimiser.step()
            losses += each.tolist()
            ratios += _ratios(logits, masks, batch.kept)
        network.eval()
        batch = watched[list(range(8))]
        with torch.no_grad():
            logits = network(batch.images[:, None] / 255)[:, 0]
        history.append(
            {
                "epoch": epoch + 1,
                "train_loss": np.mean(losses),
                "train_iou": np.mean(ratios),
                "validation_loss": MASK_LOSSES[loss](logits, batch.masks, batch.kept).mean().item(),
                "validation_iou": np.mean(_ratios(logits, batch.masks, batch.kept)),
            }
        )
    return history


def _ratios(logits, masks, kept):
    found = (torch.sigmoid(logits) >= 0.5).numpy() & kept.numpy()[:, None, None]
    truth, ratios = masks.numpy().astype(bool), []
    for one, other in zip(found, truth, strict=True):
        ratios.append((one & other).sum() / (one | other).sum() if (one | other).any() else 1.0)
    return ratios


def _assert_same_weights(one, other):
    for name, value in one.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name


@pytest.mark.parametrize("loss", MASK_LOSSES)
@pytest.mark.parametrize("emptied", [(), (0, 2, 9)])
@pytest.mark.parametrize("augmentation", [None, SpatialAugmentation()])
def test_training_is_that_of_a_plain_loop(tmp_path, loss, emptied, augmentation):
    """Three batches an epoch, of 4, 4 and 3 images."""
    task = _train(tmp_path, MaskSegmentation(Small(), loss, ADAM, augmentation=augmentation), emptied=emptied)
    network = Small().to(memory_format=torch.channels_last)
    expected = _by_hand(network, loss, emptied, augmentation)
    assert [list(record) for record in task.history] == [list(record) for record in expected]
    for record, other in zip(task.history, expected, strict=True):
        assert record == pytest.approx(other, rel=1e-5)
    _assert_same_weights(task.network, network)


@pytest.mark.parametrize("loss", MASK_LOSSES)
@pytest.mark.parametrize("batch_size", [2, 3, 4, 8, 11])
def test_the_loss_of_an_epoch_is_the_mean_over_images_whatever_the_batches(tmp_path, loss, batch_size):
    """The report's error in others' code, dividing the sum of batch means by the images, is not made.

    Weights that stand still, without batch norm, make the losses those of one network.
    """
    network = Small(norm=False)
    task = _train(tmp_path, MaskSegmentation(network, loss, STILL), batch_size=batch_size)
    order = EpochBatches(SAMPLES, batch_size, seed=3)
    batches = list(order)
    lumps = Lumps(0)[[sample for batch in batches for sample in batch]]
    with torch.no_grad():
        logits = network(lumps.images[:, None] / 255)[:, 0]
    each = MASK_LOSSES[loss](logits, lumps.masks, lumps.kept).double()
    recorded = task.history[0]["train_loss"]
    assert recorded == pytest.approx(each.mean().item(), rel=1e-6)
    sizes = [len(batch) for batch in batches]
    means = [part.mean().item() for part in each.split(sizes)]
    wrong = sum(means) / len(each)
    if len(set(sizes)) == 1:
        assert wrong == pytest.approx(recorded / sizes[0], rel=1e-6)
    assert wrong < 0.6 * recorded


def test_a_last_smaller_batch_counts_by_its_images(tmp_path):
    """Eight images and then three: a mean of the two batches' means would weigh the three too much."""
    task = _train(tmp_path, MaskSegmentation(Small(norm=False), "mse", STILL), batch_size=8)
    order = [len(batch) for batch in EpochBatches(SAMPLES, 8, seed=3)]
    assert order == [8, 3]
    lumps = Lumps(0)[np.concatenate(list(EpochBatches(SAMPLES, 8, seed=3)))]
    with torch.no_grad():
        logits = task.network(lumps.images[:, None] / 255)[:, 0]
    each = MASK_LOSSES["mse"](logits, lumps.masks, lumps.kept)
    of_batches = (each[:8].mean() + each[8:].mean()).item() / 2
    assert abs(task.history[0]["train_loss"] - each.mean().item()) < 1e-6
    assert abs(of_batches - each.mean().item()) > 1e-4


@pytest.mark.parametrize("stop_at", [2, 8])
def test_a_killed_training_resumes_to_the_same_bytes(tmp_path, stop_at):
    """With dropout, augmentation, a falling rate, bounded weights, and emptied images."""
    cosine = Optimisation("adamw", 0.02, "cosine", weight_decay=1e-2, weight_bound=0.2)

    def task(seed=5):
        return MaskSegmentation(Small(0.3), "dice", cosine, augmentation=SpatialAugmentation(), seed=seed)

    whole = _train(tmp_path / "whole", task(), emptied=(1, 2))
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        _train(tmp_path / "killed", task(), emptied=(1, 2), stop_at=stop_at)
    torch.manual_seed(77)
    resumed = _train(tmp_path / "killed", task(), emptied=(1, 2))
    assert resumed.history == whole.history
    _assert_same_weights(resumed.network, whole.network)
    other = _train(tmp_path / "other", task(seed=6), emptied=(1, 2))
    assert other.history[0]["train_loss"] != whole.history[0]["train_loss"]


def test_weights_stay_within_their_bound(tmp_path):
    """Batch norm's scales start at 1."""
    bounded = Optimisation(learning_rate=0.01, weight_bound=0.25)
    task = _train(tmp_path, MaskSegmentation(Small(), "bce", bounded))
    largest = max(weight.abs().max().item() for weight in task.network.parameters())
    assert largest == 0.25
    assert task.network.layers[1].running_var.max() > 0.25


def test_only_emptied_images_leave_the_weights_where_they_were(tmp_path):
    task = _train(tmp_path, MaskSegmentation(Small(norm=False), "bce", ADAM), emptied=range(SAMPLES))
    _assert_same_weights(Small(norm=False), task.network)
    # Three of eleven masks are empty, as all that is marked; of the eight watched, two.
    assert task.history[0]["train_iou"] == pytest.approx(3 / 11)
    assert task.history[0]["validation_iou"] == pytest.approx(2 / 8)


def test_without_validation_nothing_is_said_of_it(tmp_path):
    task = _train(tmp_path, MaskSegmentation(Small(), "mse", ADAM), watched=False)
    assert [list(record) for record in task.history] == [["epoch", "train_loss", "train_iou"]] * EPOCHS


@pytest.mark.parametrize("loss", MASK_LOSSES)
def test_the_u_net_learns_the_lumps(tmp_path, loss):
    network = build_network("unet", 1, width=4, depth=2, output="none")
    task = _train(tmp_path, MaskSegmentation(network, loss, Optimisation(learning_rate=0.03)))
    assert task.history[-1]["train_loss"] < 0.9 * task.history[0]["train_loss"]
    assert network.first[0].weight.is_contiguous(memory_format=torch.channels_last)


def test_a_loss_may_be_a_function_and_an_unknown_name_is_refused():
    assert MaskSegmentation(Small(), MASK_LOSSES["mse"], ADAM).loss is MASK_LOSSES["mse"]
    with pytest.raises(InputError, match="one of bce, mse, dice"):
        MaskSegmentation(Small(), "focal", ADAM)


def test_only_what_is_learned_lies_in_the_checkpoint():
    state = MaskSegmentation(Small(), "mse", ADAM).state_dict()
    assert {name.split(".")[0] for name in state} == {"network"}


def test_the_iou_of_the_history_is_that_of_images():
    logits, masks = torch.tensor([[[0.0, -1e-9, -1.0]]]), torch.tensor([[[1, 1, 0]]], dtype=torch.uint8)
    # A probability that rounds to 0.5 is marked, for that is what is written to files.
    assert overlap_ratios(torch.sigmoid(logits) >= 0.5, masks).tolist() == [1.0]
