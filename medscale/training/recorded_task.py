"""What all tasks share: a history of their epochs that survives a kill, and what repeats exactly."""

import lightning
import torch
from torch import nn

from medscale.seeds import derive_seed
from medscale.training.optimisation import Optimisation, build_optimiser


class RecordedTask(lightning.LightningModule):
    """A task that appends one record to `history` at the end of every epoch.

    Attributes
    ----------
    history : list of dict
        One record an epoch; it is part of every checkpoint.
    shares_batches : bool
        Whether its loss and its history are the same where several processes share every batch.
    """

    shares_batches = False

    def __init__(self) -> None:
        super().__init__()
        self.history: list[dict[str, float]] = []

    def count_updates(self) -> int:
        """Return the number of batches of the whole training, which may differ between epochs."""
        # Asking for the estimate lets Lightning prepare the loader.
        _ = self.trainer.estimated_stepping_batches
        return self.trainer.train_dataloader.sampler.total(self.trainer.max_epochs)

    def build_scheduled_optimiser(
        self, network: nn.Module, optimisation: Optimisation
    ) -> torch.optim.Optimizer | dict:
        """Return what `configure_optimizers` needs for the optimiser and its schedule, update by update."""
        optimiser = build_optimiser(network, optimisation)
        if optimisation.schedule == "constant":
            return optimiser
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.count_updates())
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def seed_dropout(self, seed: int, number: int) -> None:
        """Let what dropout leaves out depend on the training's seed and the batch alone.

        A resumed training then goes the same way. To be called before each batch, whose number in its epoch
        is `number`; each process has its own draws.
        """
        drawn = derive_seed(seed, "dropout", self.current_epoch, number, self.global_rank)
        # `torch.manual_seed` asks every kind of device there is, at a tenth of the time of a small step.
        if self.device.type == "cuda":
            torch.cuda.manual_seed(drawn)
        else:
            torch.default_generator.manual_seed(drawn)

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        self.history = checkpoint["history"]
