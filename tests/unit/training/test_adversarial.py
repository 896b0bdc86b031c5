import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from medscale.errors import InputError
from medscale.networks.registry import build_network
from medscale.training.adversarial import (
    Adversarial,
    Contest,
    draw_noise,
    stack_channels,
    with_hard_labels,
)
from medscale.training.batches import EpochBatches
from medscale.training.fitting import fit
from medscale.training.segmentation import SegmentationBatch

CPU = torch.device("cpu")
EPOCHS, SAMPLES, SIZE = 3, 16, 32


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


class Halves(Dataset):
    """Images whose right half is bright and of class 1."""

    def __init__(self, stop_at=None):
        self.labels = torch.zeros(SAMPLES, SIZE, SIZE, dtype=torch.uint8)
        self.labels[..., SIZE // 2 :] = 1
        self.images, self.left = 40 + 160 * self.labels, stop_at

    def __getitem__(self, rows):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
        return SegmentationBatch(self.images[rows], self.labels[rows], np.zeros(len(rows), np.int64))


def _task(loss="non_saturating", seed=0, width=4):
    return Adversarial(
        build_network("dcgan_generator", 1, size=SIZE, width=width, noise=8),
        build_network("dcgan_discriminator", 2, size=SIZE, width=width),
        Contest(loss, learning_rate=1e-3),
        classes=3,
        seed=seed,
    )


def _train(folder, task, stop_at=None, epochs=EPOCHS):
    train = DataLoader(Halves(stop_at), sampler=EpochBatches(SAMPLES, 8, seed=3), batch_size=None)
    fit(task, train, None, epochs=epochs, device=CPU, checkpoints=folder / "checkpoints")
    return task


def test_a_killed_training_resumes_to_the_same_bytes(tmp_path):
    whole = _train(tmp_path / "whole", _task())
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        _train(tmp_path / "killed", _task(), stop_at=3)  # two batches an epoch
    resumed = _train(tmp_path / "killed", _task())
    assert resumed.history == whole.history
    for part in ("generator", "discriminator"):
        ours, theirs = getattr(resumed, part).state_dict(), getattr(whole, part).state_dict()
        assert all(torch.equal(ours[name], value) for name, value in theirs.items())
    assert _train(tmp_path / "other", _task(seed=1)).history != whole.history


@pytest.mark.parametrize("loss", ["non_saturating", "hinge"])
def test_the_generator_learns_where_the_bright_half_is(tmp_path, loss):
    task = _train(tmp_path, _task(loss, width=8), epochs=80)
    assert [record["epoch"] for record in task.history] == list(range(1, 81))
    with torch.no_grad():
        drawn = task.generator.eval()(draw_noise(8, 32, 5, "look"))
    left, right = drawn[:, 0, :, : SIZE // 2].mean(), drawn[:, 0, :, SIZE // 2 :].mean()
    assert right - left > 0.2
    labels = drawn[:, 1:].argmax(1)
    assert (labels[..., SIZE // 2 :] == 1).float().mean() > (
        labels[..., : SIZE // 2] == 1
    ).float().mean() + 0.3


def test_both_take_one_step_of_adam_against_each_other(tmp_path):
    """The first update of Adam moves every weight by the learning rate against its gradient's sign."""
    task, by_hand = _task(), _task()
    train = DataLoader(Halves(), sampler=EpochBatches(SAMPLES, SAMPLES, seed=3), batch_size=None)
    fit(task, train, None, epochs=1, device=CPU, checkpoints=tmp_path / "checkpoints")
    batch, generator, judge = Halves()[list(range(SAMPLES))], by_hand.generator, by_hand.discriminator
    real = stack_channels(batch.images, batch.labels, 3)
    drawn = with_hard_labels(generator(draw_noise(8, SAMPLES, 0, 0, 0)))
    of_real, of_drawn = judge(real), judge(drawn.detach())
    loss = (-nn.functional.logsigmoid(of_real) - nn.functional.logsigmoid(-of_drawn)).mean()
    torch.optim.Adam(judge.parameters(), 1e-3, (0.5, 0.999)).step(lambda: _backward(judge, loss))
    deceived = -nn.functional.logsigmoid(judge(drawn)).mean()
    torch.optim.Adam(generator.parameters(), 1e-3, (0.5, 0.999)).step(lambda: _backward(generator, deceived))
    (record,) = task.history
    assert record["discriminator_loss"] == pytest.approx(loss.item(), rel=1e-4)
    assert record["generator_loss"] == pytest.approx(deceived.item(), rel=1e-3)
    assert record["real_probability"] == pytest.approx(of_real.sigmoid().mean().item(), rel=1e-4)
    for ours, theirs in ((task.generator, generator), (task.discriminator, judge)):
        moved = [
            (one - other).abs() < 1e-4
            for one, other in zip(ours.parameters(), theirs.parameters(), strict=True)
        ]
        assert sum(int(part.sum()) for part in moved) > 0.98 * sum(part.numel() for part in moved)


def _backward(network, loss):
    network.zero_grad()
    loss.backward()


def test_hard_labels_are_exact_and_pass_gradients_on():
    drawn = torch.randn(2, 4, 5, 5, requires_grad=True)
    hard = with_hard_labels(drawn)
    assert set(hard[:, 1:].unique().tolist()) == {0.0, 1.0}
    assert torch.equal(hard[:, 1:].argmax(1), drawn[:, 1:].argmax(1))
    assert torch.equal(hard[:, 0], drawn[:, 0])
    (hard[:, 2] * torch.arange(25.0).reshape(5, 5)).sum().backward()
    soft = drawn.detach().clone().requires_grad_()
    (soft[:, 1:].softmax(1)[:, 1] * torch.arange(25.0).reshape(5, 5)).sum().backward()
    torch.testing.assert_close(drawn.grad, soft.grad)


def test_real_slices_become_an_image_and_indicators():
    images = torch.tensor([[[0, 255], [51, 102]]], dtype=torch.uint8)
    labels = torch.tensor([[[0, 2], [1, 2]]], dtype=torch.uint8)
    expected = [[[0, 1], [0.2, 0.4]], [[1, 0], [0, 0]], [[0, 0], [1, 0]], [[0, 1], [0, 1]]]
    torch.testing.assert_close(stack_channels(images, labels, 3), torch.tensor([expected]))


def test_losses_of_the_contest_by_hand():
    real, drawn = torch.tensor([[0.5], [2.0]]), torch.tensor([[-3.0], [0.0]])
    hinge = Contest("hinge")
    assert hinge.judge(real, drawn).item() == pytest.approx((0.5 + 0) / 2 + (0 + 1) / 2)
    assert hinge.deceive(drawn).item() == pytest.approx(1.5)
    deceive = (math.log(1 + math.exp(3)) + math.log(2)) / 2
    assert Contest().deceive(drawn).item() == pytest.approx(deceive)
    with pytest.raises(InputError, match="wasserstein"):
        Contest("wasserstein")


def test_noise_is_normal_and_of_its_item_alone():
    noise = draw_noise(50, 200, 3, 0, 1)
    assert noise.mean().item() == pytest.approx(0, abs=0.05)
    assert noise.std().item() == pytest.approx(1, abs=0.05)
    assert torch.equal(draw_noise(50, 20, 3, 0, 1), noise[:20])
    assert not torch.equal(draw_noise(50, 200, 3, 1, 1), noise)
