import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from medscale.networks.classifiers.auxiliary import Outputs
from medscale.networks.registry import build_network
from medscale.training.batches import EpochBatches
from medscale.training.classification import Classification, classification_loss, share_right
from medscale.training.fitting import fit
from medscale.training.optimisation import Optimisation
from medscale.training.scan_feeds import ImageBatch, ImageFeed, VolumeBatch, VolumeFeed
from medscale.training.spatial_augmentation import SpatialAugmentation

CPU = torch.device("cpu")
EPOCHS, SAMPLES, SIZE, CLASSES = 4, 14, 12, 3
ADAM = Optimisation(learning_rate=0.01)
STILL = Optimisation("sgd", learning_rate=0.0, momentum=0.0)
MOVED = ImageFeed(SpatialAugmentation())


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


class Greys(Dataset):
    """Noise whose brightness tells the class; `stop_at` raises like a kill after so many batches."""

    def __init__(self, seed=0, stop_at=None, labels=torch.int64):
        rng = np.random.default_rng(seed)
        classes = np.arange(SAMPLES) % CLASSES
        images = 60 * classes[:, None, None] + rng.integers(0, 100, (SAMPLES, SIZE, SIZE))
        self.images, self.left = torch.from_numpy(images.astype(np.uint8)), stop_at
        self.labels = torch.from_numpy(classes if labels == torch.int64 else classes > 0).to(labels)

    def __getitem__(self, numbers):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
        rows = np.asarray(numbers) % SAMPLES
        return ImageBatch(self.images[rows], self.labels[rows], np.asarray(numbers, np.int64))


class Small(nn.Module):
    """One convolution and a mean, with dropout and an auxiliary head if wanted."""

    def __init__(self, outputs=CLASSES, dropout=0.0, auxiliary=False):
        super().__init__()
        torch.manual_seed(1)
        self.features = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU())
        self.dropout, self.last = nn.Dropout(dropout), nn.Linear(6, outputs)
        self.aside = nn.Linear(6, outputs) if auxiliary else None

    def forward(self, x):
        x = self.features(x).mean(dim=(2, 3))
        logits = self.last(self.dropout(x))
        return Outputs(logits, (self.aside(x),), 0.3) if self.aside and self.training else logits


def _train(folder, task, *, stop_at=None, batch_size=5, labels=torch.int64, watched=True, data=Greys):
    order = EpochBatches(SAMPLES, batch_size, seed=3, numbered=True)
    train = DataLoader(data(0, stop_at, labels), sampler=order, batch_size=None)
    whole = [list(range(9)), list(range(9, SAMPLES))]
    validation = DataLoader(data(1, labels=labels), sampler=whole, batch_size=None) if watched else None
    fit(task, train, validation, epochs=EPOCHS, device=CPU, checkpoints=folder / "checkpoints")
    return task


def _by_hand(network, augmentation, weight):
    """The same training as a plain loop, the auxiliary head with its weight; returns the history."""
    greys, watched = Greys(0), Greys(1)
    optimiser = torch.optim.Adam(network.parameters(), 0.01)
    order, history, entropy = EpochBatches(SAMPLES, 5, seed=3, numbered=True), [], nn.functional.cross_entropy
    for epoch in range(EPOCHS):
        order.set_epoch(epoch)
        network.train()
        total, right = 0.0, 0
        for numbers in order:
            batch = greys[numbers]
            images = augmentation.move_images(batch.images / 255, batch.seeds, epoch)[:, None]
            features = network.features(images).mean(dim=(2, 3))
            logits, aside = network.last(features), network.aside(features)
            own = entropy(logits, batch.labels)
            optimiser.zero_grad()
            (own + weight * entropy(aside, batch.labels)).backward()
            optimiser.step()
            total += own.item() * len(numbers)
            right += (logits.argmax(1) == batch.labels).sum().item()
        network.eval()
        with torch.no_grad():
            logits = network(watched.images[:, None] / 255)
        history.append(
            {
                "epoch": epoch + 1,
                "train_loss": total / SAMPLES,
                "train_accuracy": right / SAMPLES,
                "validation_loss": entropy(logits, watched.labels).item(),
                "validation_accuracy": (logits.argmax(1) == watched.labels).sum().item() / SAMPLES,
            }
        )
    return history


def _assert_same_weights(one, other):
    for name, value in one.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name


def test_training_with_an_auxiliary_head_is_that_of_a_plain_loop(tmp_path):
    """Three batches an epoch, of 5, 5 and 4 images; the history tells of the last layer alone."""
    task = _train(tmp_path, Classification(Small(auxiliary=True), ADAM, MOVED))
    network = Small(auxiliary=True)
    expected = _by_hand(network, SpatialAugmentation(), 0.3)
    assert [list(record) for record in task.history] == [list(record) for record in expected]
    for record, other in zip(task.history, expected, strict=True):
        assert record == pytest.approx(other, rel=1e-5)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(task.network.state_dict()[name], value, rtol=1e-5, atol=1e-6)


def test_the_recorded_loss_leaves_the_auxiliary_head_out(tmp_path):
    """Weights that stand still: with and without the head, the loss of the last layer is the same."""
    with_head = _train(tmp_path / "with", Classification(Small(auxiliary=True), STILL, ImageFeed()))
    without = _train(tmp_path / "without", Classification(Small(), STILL, ImageFeed()))
    losses = [task.history[0]["train_loss"] for task in (with_head, without)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    # Without dropout and batch norm, all that differs in training is the images.
    greys = Greys(0)
    with torch.no_grad():
        logits = without.network(greys.images[:, None] / 255)
    assert losses[1] == pytest.approx(nn.functional.cross_entropy(logits, greys.labels).item(), rel=1e-6)


@pytest.mark.parametrize("batch_size", [2, 3, 5, 14])
def test_losses_and_accuracies_are_means_over_samples_whatever_the_batches(tmp_path, batch_size):
    task = _train(tmp_path, Classification(Small(), STILL, ImageFeed()), batch_size=batch_size)
    greys, watched = Greys(0), Greys(1)
    with torch.no_grad():
        logits, seen = (task.network(part.images[:, None] / 255) for part in (greys, watched))
    assert task.history[0] == pytest.approx(
        {
            "epoch": 1,
            "train_loss": nn.functional.cross_entropy(logits, greys.labels).item(),
            "train_accuracy": (logits.argmax(1) == greys.labels).sum().item() / SAMPLES,
            "validation_loss": nn.functional.cross_entropy(seen, watched.labels).item(),
            "validation_accuracy": (seen.argmax(1) == watched.labels).sum().item() / SAMPLES,
        },
        rel=1e-6,
    )


def test_one_logit_is_judged_by_its_auc_and_no_accuracy(tmp_path):
    task = _train(tmp_path, Classification(Small(outputs=1), ADAM, ImageFeed()), labels=torch.float32)
    names = ["epoch", "train_loss", "validation_loss", "validation_auc"]
    assert [list(record) for record in task.history] == [names] * EPOCHS
    with torch.no_grad():
        logits = task.network(Greys(1).images[:, None] / 255).squeeze(1)
    labels = Greys(1, labels=torch.float32).labels
    expected = nn.functional.binary_cross_entropy_with_logits(logits, labels).item()
    assert task.history[-1]["validation_loss"] == pytest.approx(expected, rel=1e-6)
    above = (logits[labels == 1][:, None] > logits[labels == 0]).float().mean().item()
    assert task.history[-1]["validation_auc"] == pytest.approx(above)


def test_without_validation_nothing_is_said_of_it(tmp_path):
    task = _train(tmp_path, Classification(Small(), ADAM, ImageFeed()), watched=False)
    assert [list(record) for record in task.history] == [["epoch", "train_loss", "train_accuracy"]] * EPOCHS


@pytest.mark.parametrize("stop_at", [2, 8])
def test_a_killed_training_resumes_to_the_same_bytes(tmp_path, stop_at):
    """With dropout, augmentation, a falling rate, bounded weights and an auxiliary head."""
    cosine = Optimisation("adamw", 0.02, "cosine", weight_decay=1e-2, weight_bound=0.3)

    def task(seed=5):
        return Classification(Small(dropout=0.4, auxiliary=True), cosine, MOVED, seed=seed)

    whole = _train(tmp_path / "whole", task())
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        _train(tmp_path / "killed", task(), stop_at=stop_at)
    torch.manual_seed(77)
    resumed = _train(tmp_path / "killed", task())
    assert resumed.history == whole.history
    _assert_same_weights(resumed.network, whole.network)
    assert max(weight.abs().max() for weight in whole.network.parameters()) <= 0.3
    other = _train(tmp_path / "other", task(seed=6))
    assert other.history[0]["train_loss"] != whole.history[0]["train_loss"]


def test_what_dropout_leaves_out_does_not_depend_on_what_was_drawn_before(tmp_path):
    histories = []
    for drawn in (1, 2):
        task = Classification(Small(dropout=0.4), ADAM, ImageFeed())
        torch.manual_seed(drawn)
        histories.append(_train(tmp_path / str(drawn), task).history)
    assert histories[0] == histories[1]


class Heads(Dataset):
    """Volumes of which the scores tell the class, and the images do not."""

    def __init__(self, seed=0, stop_at=None, labels=torch.int64):
        rng = torch.Generator().manual_seed(seed)
        self.images, self.labels = torch.randn(SAMPLES, 2, 8, 8, 8, generator=rng), torch.arange(SAMPLES) % 2
        self.scores = self.labels[:, None] + 0.1 * torch.randn(SAMPLES, 1, generator=rng)

    def __getitem__(self, numbers):
        rows = np.asarray(numbers) % SAMPLES
        seeds = np.asarray(numbers, np.int64)
        return VolumeBatch(self.images[rows], self.scores[rows], self.labels[rows], seeds)


def test_networks_with_several_inputs_learn_from_all_of_them(tmp_path):
    settings = {"outputs": 2, "channels_in": 2, "scores": 1, "width": 2, "depth": 2}
    network = build_network("volume_cnn", 0, **settings)
    rate = Optimisation(learning_rate=0.1)
    task = _train(tmp_path, Classification(network, rate, VolumeFeed(flip=True)), data=Heads)
    assert task.history[-1]["train_loss"] < 0.8 * task.history[0]["train_loss"]


@pytest.mark.parametrize(("name", "size_px"), [("strided_cnn", 48), ("googlenet", 32)])
def test_networks_of_the_registry_learn(tmp_path, name, size_px):
    class Large(Greys):
        def __init__(self, *settings, **named):
            super().__init__(*settings, **named)
            self.images = self.images.repeat_interleave(4, 1).repeat_interleave(4, 2)[:, :size_px, :size_px]

    sized = {"size_px": size_px} if name == "strided_cnn" else {}
    network = build_network(name, 0, outputs=CLASSES, channels_in=1, width=4, **sized)
    task = _train(tmp_path, Classification(network, ADAM, ImageFeed()), data=Large)
    assert task.history[-1]["train_loss"] < task.history[0]["train_loss"]


def test_losses_and_accuracy_by_hand():
    logits = torch.tensor([[0.0, 0.0, 0.0], [1.0, 3.0, 2.0]])
    expected = (np.log(3) + np.log(np.exp([-2.0, 0.0, -1.0]).sum()) + 2.0) / 2
    assert classification_loss(logits, torch.tensor([2, 0])).item() == pytest.approx(expected)
    assert share_right(logits, torch.tensor([2, 1])).item() == 0.5
    one = classification_loss(torch.tensor([[0.0], [2.0]]), torch.tensor([1.0, 0.0]))
    assert one.item() == pytest.approx((np.log(2) + np.log1p(np.exp(2.0))) / 2)
