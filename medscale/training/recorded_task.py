"""What all tasks share: a history of their epochs that survives a kill."""

import lightning


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

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        self.history = checkpoint["history"]
