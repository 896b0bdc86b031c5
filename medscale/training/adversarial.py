"""Training a network to draw new images with labels that another one cannot tell from real ones.

Source: Goodfellow et al., Generative Adversarial Nets, NeurIPS 2014 (the loss that does not saturate); Lim
and Ye, Geometric GAN, arXiv:1705.02894 (the hinge); Radford et al., ICLR 2016 (the moments of Adam).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import relu, softplus

from medscale.errors import InputError
from medscale.seeds import generator as random_generator
from medscale.training.recorded_task import RecordedTask
from medscale.training.running_mean import RunningMean
from medscale.training.segmentation import SegmentationBatch

MOMENTS = (0.5, 0.999)


@dataclass(frozen=True)
class Contest:
    """How the two networks learn from each other.

    Attributes
    ----------
    loss : {"non_saturating", "hinge"}
    learning_rate : float
        Of Adam, for the generator.
    discriminator_rate : float, optional
        Of Adam, for the discriminator; that of the generator by default.
    """

    loss: str = "non_saturating"
    learning_rate: float = 2e-4
    discriminator_rate: float | None = None

    def __post_init__(self) -> None:
        if self.loss not in CONTESTS:
            raise InputError(
                "generator.loss", repr(self.loss), f"one of {', '.join(CONTESTS)}", "Correct it."
            )

    def judge(self, real: Tensor, drawn: Tensor) -> Tensor:
        """Return the discriminator's loss from its logits of real and of drawn images."""
        return CONTESTS[self.loss][0](real, drawn)

    def deceive(self, drawn: Tensor) -> Tensor:
        """Return the generator's loss from the discriminator's logits of what it drew."""
        return CONTESTS[self.loss][1](drawn)


CONTESTS = {
    "non_saturating": (
        lambda real, drawn: softplus(-real).mean() + softplus(drawn).mean(),
        lambda drawn: softplus(-drawn).mean(),
    ),
    "hinge": (
        lambda real, drawn: relu(1 - real).mean() + relu(1 + drawn).mean(),
        lambda drawn: -drawn.mean(),
    ),
}


class Adversarial(RecordedTask):
    """A generator against a discriminator, with the history of every epoch.

    Both take one step for each batch, first the discriminator. The history holds, for each epoch: `epoch`,
    `discriminator_loss`, `generator_loss`, and `real_probability` and `drawn_probability`, what the
    discriminator thinks of either before its step, all means over samples.

    Parameters
    ----------
    generator : nn.Module
        Noise (n, noise) to images and labels (n, 1 + classes, size, size): channel 0 in [0, 1], the others
        logits. Its attribute `noise` is the length of the noise.
    discriminator : nn.Module
        Images and labels (n, 1 + classes, size, size), the labels as indicators, to logits (n, 1).
    classes : int
    seed : int
        Draws the noise.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        contest: Contest,
        *,
        classes: int,
        seed: int,
    ):
        super().__init__()
        self.automatic_optimization = False
        self.generator = generator.to(memory_format=torch.channels_last)
        self.discriminator = discriminator.to(memory_format=torch.channels_last)
        self.contest, self.classes, self.seed = contest, classes, seed
        self._means = {name: RunningMean() for name in _MEANS}

    def training_step(self, batch: SegmentationBatch, number: int) -> None:
        real = stack_channels(batch.images, batch.labels, self.classes)
        noise = draw_noise(self.generator.noise, len(batch), self.seed, self.current_epoch, number)
        drawn = with_hard_labels(self.generator(noise.to(real.device)))
        judged = self._train_discriminator(real, drawn.detach())
        deceived = self._train_generator(drawn)
        for name, value in (judged | deceived).items():
            self._means[name].add(value, len(batch))

    def on_train_epoch_end(self) -> None:
        means = {name: mean.take() for name, mean in self._means.items()}
        self.history.append({"epoch": self.current_epoch + 1, **means})

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        ours = self.contest.learning_rate
        rates = {self.generator: ours, self.discriminator: self.contest.discriminator_rate or ours}
        return [torch.optim.Adam(part.parameters(), lr=rate, betas=MOMENTS) for part, rate in rates.items()]

    def transfer_batch_to_device(
        self, batch: SegmentationBatch, device: torch.device, _: int
    ) -> SegmentationBatch:
        return batch.to(device)

    def _train_discriminator(self, real: Tensor, drawn: Tensor) -> dict[str, Tensor]:
        of_real, of_drawn = self.discriminator(real), self.discriminator(drawn)
        loss = self.contest.judge(of_real, of_drawn)
        self._step(self.optimizers()[1], loss)
        return {
            "discriminator_loss": loss,
            "real_probability": of_real.sigmoid().mean(),
            "drawn_probability": of_drawn.sigmoid().mean(),
        }

    def _train_generator(self, drawn: Tensor) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(False)
        loss = self.contest.deceive(self.discriminator(drawn))
        self._step(self.optimizers()[0], loss)
        self.discriminator.requires_grad_(True)
        return {"generator_loss": loss}

    def _step(self, optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
        optimiser.zero_grad()
        self.manual_backward(loss)
        optimiser.step()


_MEANS = ("discriminator_loss", "generator_loss", "real_probability", "drawn_probability")


def draw_noise(length: int, count: int, seed: int, *names: str | int) -> Tensor:
    """Return noise from N(0, 1), float32 of shape (count, length), for the item called `names`."""
    numbers = random_generator(seed, "noise", *names).standard_normal((count, length), "float32")
    return torch.from_numpy(numbers)


def stack_channels(images: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return real images and labels as a discriminator takes them.

    Parameters
    ----------
    images, labels : Tensor of uint8, shape (n, rows, columns)

    Returns
    -------
    Tensor of float32, shape (n, 1 + classes, rows, columns)
        The image in [0, 1], then 1 where a pixel belongs to a class, else 0.
    """
    indicators = [labels == number for number in range(classes)]
    return torch.stack([images.float() / 255, *indicators], dim=1)


def with_hard_labels(drawn: Tensor) -> Tensor:
    """Return the most probable class as 1 and the others as 0, with the gradients of the probabilities.

    Labels between 0 and 1 would give away what was drawn. Straight-through estimate of Bengio et al.,
    arXiv:1308.3432.

    Parameters
    ----------
    drawn : Tensor, shape (n, 1 + classes, rows, columns)
        Image and logits, as a generator returns them.
    """
    probabilities = drawn[:, 1:].softmax(dim=1)
    chosen = probabilities.argmax(dim=1)
    hard = torch.stack([chosen == number for number in range(probabilities.shape[1])], dim=1)
    # What is added is zero, but has the gradients.
    return torch.cat([drawn[:, :1], hard + (probabilities - probabilities.detach())], dim=1)
