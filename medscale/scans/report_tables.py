"""What the report prints: a classifier and U-Nets on brain MR and breast ultrasound images.

Source: "DLMI HW report", section 4 (2). Its networks see 512 x 512 pixels; each number is of one training, on
splits that the report does not describe, without intervals. For breast ultrasound its table prints a test
accuracy of 0.8526 where its text says 0.859, and a detection accuracy of 0.904 where its conclusion says
90.3 %: the numbers of the tables stand here. Of brain MR images it says that many of the test have one
that looks the same in train.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReportedAccuracy:
    """One row of the report's table of classification.

    Attributes
    ----------
    train, test : float
        Share of images whose class is right.
    detection : float
        Share of test images for which tumour or none is right.
    """

    train: float
    test: float
    detection: float


@dataclass(frozen=True)
class ReportedOverlap:
    """One row of the report's table of segmentation: mean IoU.

    Attributes
    ----------
    train, test : float
        Of the U-Net alone.
    train_aided, test_aided : float
        Of another one, whose outlines the classifier empties in training and in prediction.
    """

    train: float
    test: float
    train_aided: float
    test_aided: float


REPORTED_ACCURACY = {
    "brain_mri": ReportedAccuracy(1.0, 1.0, 1.0),
    "breast_ultrasound": ReportedAccuracy(1.0, 0.8526, 0.904),
}
# By the names of `medscale.training.mask_losses.MASK_LOSSES`, in the report's order.
REPORTED_OVERLAP = {
    "bce": ReportedOverlap(0.54753, 0.48947, 0.62097, 0.51996),
    "mse": ReportedOverlap(0.65306, 0.56055, 0.77512, 0.56304),
    "dice": ReportedOverlap(0.71729, 0.54007, 0.7584, 0.57291),
}
