"""CT images that lie in folders: which there are, and of whom."""

import hashlib
import logging
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from medscale.errors import InputError
from medscale.files.dicom_headers import find_files, looks_like_dicom, read_dataset, read_text
from medscale.files.volumes import is_nifti

log = logging.getLogger(__name__)

KNOWN_SUFFIX = re.compile(r"\.(dcm|dicom|ima|nii|nii\.gz)$", re.IGNORECASE)
OWNER_KEYS = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID")


@dataclass(frozen=True)
class FoundImage:
    """A file, or the folder of one DICOM series.

    Attributes
    ----------
    path : Path
    patient : str
        Of letters, digits, _ and -.
    """

    path: Path
    patient: str

    @property
    def stem(self) -> str:
        """Name of the file without its suffix, of letters, digits, _ and -."""
        return plain_name(KNOWN_SUFFIX.sub("", self.path.name))


@dataclass(frozen=True)
class _DicomFile:
    path: Path
    series: str
    patient_id: str
    owner: str


def find_images(places: Iterable[str | Path]) -> list[FoundImage]:
    """List the DICOM and NIfTI images in files and below folders, by path.

    A folder whose DICOM files are all named and of one series is one image, else every file is one. Hidden
    files and folders do not count. A NIfTI volume is a patient of its own. DICOM files without PatientID
    are taken for one patient where they are of one study, or of one series, or have no identity at all and
    share a folder.

    Raises
    ------
    InputError
        If a place does not exist.
    """
    files = sorted({file for place in places for file in _files_at(Path(place))})
    volumes = [
        FoundImage(path, plain_name(KNOWN_SUFFIX.sub("", path.name))) for path in files if is_nifti(path)
    ]
    dicom = [path for path in files if not is_nifti(path) and looks_like_dicom(path)]
    return sorted(volumes + _dicom_images(dicom), key=lambda image: image.path)


def plain_name(text: str) -> str:
    """Return `text` with what is no letter, digit, _ or - replaced; a digest where nothing is left."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_")
    return plain or hashlib.sha256(text.encode()).hexdigest()[:8]


def _files_at(place: Path) -> list[Path]:
    if not place.exists():
        raise InputError(place, "no such file or folder", "a folder with CT images", "Correct the path.")
    # Links keep their own names: data stores link readable names to files that are named by checksum.
    place = Path(os.path.abspath(place))
    found = place.rglob("*") if place.is_dir() else [place]
    return [path for path in found if path.is_file() and not _is_hidden(path.relative_to(place))]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _identify(paths: Iterable[Path]) -> list[_DicomFile]:
    """Read whose each file is; damaged ones are left out with a warning."""
    identified = []
    for path in paths:
        try:
            header = read_dataset(path, pixels=False)
            patient, study, series = (read_text(header, key, path) for key in OWNER_KEYS)
        except InputError as error:
            log.warning("left out: %s", error)
            continue
        owner = patient or study or series or str(path.parent)
        identified.append(_DicomFile(path, series, patient, owner))
    return identified


def _dicom_images(paths: Sequence[Path]) -> list[FoundImage]:
    files = _identify(paths)
    names = _name_patients(files)
    folders: dict[Path, list[_DicomFile]] = {}
    for file in files:
        folders.setdefault(file.path.parent, []).append(file)
    images = []
    for folder, members in folders.items():
        one_series = len({(file.series, file.owner) for file in members}) == 1
        if one_series and len(members) > 1 and set(find_files(folder)) <= set(paths):
            images.append(FoundImage(folder, names[members[0].owner]))
        else:
            images += [FoundImage(file.path, names[file.owner]) for file in members]
    return images


def _name_patients(files: Sequence[_DicomFile]) -> dict[str, str]:
    """Return the patient's name of each owner: the PatientID, else where the first of the files lies."""
    names: dict[str, str] = {}
    for file in files:
        if file.owner in names:
            continue
        folder, stem = file.path.parent, KNOWN_SUFFIX.sub("", file.path.name)
        place = folder.name if file.owner == str(folder) else f"{folder.name}_{stem}"
        names[file.owner] = plain_name(file.patient_id or place)
        if not file.patient_id:
            log.warning("%s has no PatientID: taken for patient %s", file.path, names[file.owner])
    return names
