"""The one place that decides where a network runs."""

import logging
import os

import torch

log = logging.getLogger(__name__)


def choose_device(gpus_granted: int, threads: int) -> torch.device:
    """Return the device of this job and make torch repeatable on it.

    The number of threads comes from the configuration, not from the scheduler: sums that are split
    over another number of threads give other weights.

    Parameters
    ----------
    gpus_granted : int
        GPUs that the scheduler gave this job; with 0 the CPU is used even beside a free GPU.
    threads : int
        Threads that torch uses on the CPU.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    if gpus_granted > 0 and torch.cuda.is_available():
        device = torch.device("cuda")
        log.info("device: GPU %s", torch.cuda.get_device_name(device))
        return device
    reason = "no GPU granted" if gpus_granted == 0 else "no usable GPU on this machine"
    log.info("device: CPU with %d threads (%s)", threads, reason)
    return torch.device("cpu")
