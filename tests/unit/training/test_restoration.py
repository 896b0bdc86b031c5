import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio
from torch import nn
from torch.utils.data import DataLoader, Dataset

from medscale.networks.registry import build_network
from medscale.training.batch_schedules import BatchSchedule, parse_schedule
from medscale.training.batches import EpochBatches
from medscale.training.fitting import fit
from medscale.training.optimisation import Optimisation
from medscale.training.restoration import PairBatch, Restoration, peak_signal_to_noise

CPU = torch.device("cpu")
EPOCHS, IMAGES = 5, 10
GROWN = parse_schedule("t31/2-3-5", EPOCHS)
SGD = Optimisation("sgd", 0.05)


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


class Pairs(Dataset):
    """Smooth images and noisy versions of them."""

    def __init__(self, seed=0):
        generator = torch.Generator().manual_seed(seed)
        coarse = torch.rand(IMAGES, 1, 4, 4, generator=generator)
        self.targets = nn.functional.interpolate(coarse, size=(16, 16), mode="bilinear")
        noise = 0.1 * torch.randn(self.targets.shape, generator=generator)
        self.inputs = (self.targets + noise).clamp(0, 1)

    def __getitem__(self, rows):
        return PairBatch(self.inputs[rows], self.targets[rows])


def _unet():
    return build_network("unet", 1, width=4, depth=2).to(memory_format=torch.channels_last)


def _without_batch_norm():
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 1, 3, padding=1))


def _train(folder, task, schedule=GROWN, watched=True):
    train = DataLoader(Pairs(), sampler=EpochBatches(IMAGES, schedule, seed=3), batch_size=None)
    rows = [[0, 1, 2], [3, 4, 5, 6, 7, 8, 9]]
    validation = DataLoader(Pairs(1), sampler=rows, batch_size=None) if watched else None
    fit(task, train, validation, epochs=EPOCHS, device=CPU, checkpoints=folder / "checkpoints")
    return task


def _by_hand(network, schedule, rate_of_epoch):
    """The same training as a plain loop; returns the history."""
    pairs, watched, order = Pairs(), Pairs(1), EpochBatches(IMAGES, schedule, seed=3)
    optimiser = torch.optim.SGD(network.parameters(), lr=1.0, momentum=0.9, nesterov=True)
    history = []
    for epoch in range(EPOCHS):
        order.set_epoch(epoch)
        optimiser.param_groups[0]["lr"] = rate_of_epoch(epoch)
        network.train()
        errors, ratios = [], []
        for rows in order:
            optimiser.zero_grad()
            restored = network(pairs.inputs[rows])
            (restored - pairs.targets[rows]).abs().mean().backward()
            optimiser.step()
            errors += _errors(restored, pairs.targets[rows])
            ratios += _ratios(restored, pairs.targets[rows])
        network.eval()
        with torch.no_grad():
            restored = network(watched.inputs)
        history.append(
            {
                "epoch": epoch + 1,
                "batch_size": order.size(epoch),
                "learning_rate": rate_of_epoch(epoch),
                "updates": len(order),
                "train_loss": np.mean(errors),
                "train_psnr": np.mean(ratios),
                "validation_loss": np.mean(_errors(restored, watched.targets)),
                "validation_psnr": np.mean(_ratios(restored, watched.targets)),
            }
        )
    return history


def _errors(restored, targets):
    return [(one - other).abs().mean().item() for one, other in zip(restored, targets, strict=True)]


def _ratios(restored, targets):
    return [
        peak_signal_noise_ratio(other.numpy(), one.detach().numpy(), data_range=1.0)
        for one, other in zip(restored, targets, strict=True)
    ]


def _assert_same_weights(one, other):
    for name, value in one.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name


def _assert_same_history(history, expected, rel=1e-5):
    assert [list(record) for record in history] == [list(record) for record in expected]
    for record, other in zip(history, expected, strict=True):
        assert record == pytest.approx(other, rel=rel)


def test_training_is_that_of_a_plain_loop(tmp_path):
    task = _train(tmp_path, Restoration(_unet(), SGD, GROWN))
    by_hand = _unet()
    _assert_same_history(task.history, _by_hand(by_hand, GROWN, lambda epoch: 0.05))
    _assert_same_weights(task.network, by_hand)
    assert [record["updates"] for record in task.history] == [5, 5, 5, 3, 2]
    assert task.history[-1]["validation_psnr"] > task.history[0]["validation_psnr"] + 1


def test_the_control_lowers_the_learning_rate_where_the_batch_would_grow(tmp_path):
    task = Restoration(_unet(), SGD, GROWN, decay_learning_rate=True)
    _train(tmp_path, task, schedule=GROWN.first)
    assert [record["batch_size"] for record in task.history] == [2] * EPOCHS
    rates = [0.05, 0.05, 0.05, 0.05 * 2 / 3, 0.05 * 2 / 5]
    assert [record["learning_rate"] for record in task.history] == pytest.approx(rates)
    by_hand = _unet()
    _assert_same_history(task.history, _by_hand(by_hand, 2, lambda epoch: rates[epoch]))


def test_validation_follows_every_epoch_when_batches_shrink_too(tmp_path):
    shrunk = BatchSchedule("shrinks and grows", EPOCHS, ((0, 5), (1, 1), (3, 4), (4, 10)))
    task = _train(tmp_path, Restoration(_unet(), SGD, shrunk), shrunk)
    assert [record["updates"] for record in task.history] == [2, 10, 10, 3, 1]
    assert len({record["validation_loss"] for record in task.history}) == EPOCHS
    by_hand = _unet()
    _assert_same_history(task.history, _by_hand(by_hand, shrunk, lambda epoch: 0.05))


def test_without_validation_images_nothing_is_said_of_them(tmp_path):
    task = _train(tmp_path, Restoration(_unet(), SGD, GROWN), watched=False)
    assert "validation_loss" not in task.history[-1]
    assert len(task.history) == EPOCHS


def test_weights_stay_within_their_bound_in_a_task_that_steps_by_itself(tmp_path):
    """Batch norm's scales start at 1."""
    bounded = Optimisation("sgd", 0.05, weight_bound=0.25)
    task = _train(tmp_path, Restoration(_unet(), bounded, GROWN))
    assert max(weight.abs().max().item() for weight in task.network.parameters()) == 0.25


def test_the_cosine_falls_within_epochs_of_any_length(tmp_path):
    task = Restoration(_without_batch_norm(), Optimisation("sgd", 0.1, "cosine"), GROWN)
    _train(tmp_path, task)
    last_of_epoch = [(epoch + 1 - 1 / count) / EPOCHS for epoch, count in enumerate([5, 5, 5, 3, 2])]
    expected = [0.05 * (1 + np.cos(np.pi * progress)) for progress in last_of_epoch]
    assert [record["learning_rate"] for record in task.history] == pytest.approx(expected)


@pytest.mark.parametrize("micro_batch", [1, 2, 3])
def test_micro_batches_give_the_gradient_of_the_whole_batch(tmp_path, micro_batch):
    """Also where the parts differ in size: 5 = 2 + 2 + 1."""
    whole = _train(tmp_path / "whole", Restoration(_without_batch_norm(), SGD, GROWN))
    parts = Restoration(_without_batch_norm(), SGD, GROWN, micro_batch=micro_batch)
    _train(tmp_path / "parts", parts)
    for name, value in whole.network.state_dict().items():
        torch.testing.assert_close(parts.network.state_dict()[name], value, atol=1e-6, rtol=1e-5)
    _assert_same_history(parts.history, whole.history)


def test_micro_batches_are_no_larger_batch_under_batch_norm(tmp_path):
    whole = _train(tmp_path / "whole", Restoration(_unet(), SGD, GROWN))
    parts = _train(tmp_path / "parts", Restoration(_unet(), SGD, GROWN, micro_batch=1))
    assert parts.history[-1]["updates"] == whole.history[-1]["updates"]
    # The statistics are updated for each part, and each part is normalised by its own.
    norms = (task.network.first[1] for task in (whole, parts))
    # Batches of 3 leave one image over.
    assert [int(norm.num_batches_tracked) for norm in norms] == [5 + 5 + 5 + 3 + 2, EPOCHS * IMAGES - 1]
    difference = max(
        (parts.network.state_dict()[name] - value).abs().max().item()
        for name, value in whole.network.named_parameters()
    )
    assert difference > 1e-3


def test_mixed_precision_keeps_weights_and_loss_in_float32(tmp_path):
    full = _train(tmp_path / "full", Restoration(_unet(), SGD, GROWN))
    task = Restoration(_unet(), SGD, GROWN, precision="bfloat16")
    dtypes = set()
    task.network.first[0].register_forward_hook(lambda _, given, result: dtypes.add(result.dtype))
    _train(tmp_path / "mixed", task)
    assert dtypes == {torch.bfloat16}
    assert task(torch.rand(1, 1, 16, 16)).dtype == torch.float32
    assert all(weight.dtype == torch.float32 for weight in task.network.parameters())
    losses = [[record["train_loss"] for record in one.history] for one in (task, full)]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)


def test_psnr_is_that_of_scikit_image_for_each_image():
    rng = np.random.default_rng(0)
    targets = rng.random((4, 1, 9, 7), np.float32)
    restored = targets + rng.normal(0, [[[[0.2]]], [[[0.01]]], [[[1e-4]]], [[[3.0]]]], targets.shape)
    restored = restored.astype(np.float32)
    expected = [
        peak_signal_noise_ratio(*pair, data_range=1.0) for pair in zip(targets, restored, strict=True)
    ]
    measured = peak_signal_to_noise(torch.from_numpy(restored), torch.from_numpy(targets))
    np.testing.assert_allclose(measured, expected, rtol=1e-6)
    assert peak_signal_to_noise(*2 * [torch.ones(1, 1, 4, 4)]).item() == pytest.approx(120)
