"""Pictures that a collection holds more than once, which would leak from training into the test.

Collections that were gathered on the web hold a picture several times: under two names, in another size, with
other margins, or compressed again. Exact duplicates have the same decoded pixels. Near duplicates have
similar hashes; the hash looks at the coarse structure of what is left when dark margins are cut off.

What `NEAR_BITS` rests on, of the 255 bits of a hash: 168 brain MR images (navoneel's collection) and 92
breast ultrasound images (BUSI) were compared, each with all others of its kind, and the closest pairs were
looked at. All pairs of up to 28 bits show one picture twice: other sizes, margins, brightness or compression,
and two frames of one ultrasound probe a moment apart. There is no pair from 29 to 61 bits. From 62 to 72 bits
some pairs are of one patient (another sequence or a neighbouring slice of a brain, one lesion with and
without callipers), but most brains there are of different patients. So the threshold lies in the middle of
the gap. Without cutting margins, copies of a brain that differ in their margins alone are 48 to 120 bits
apart, as far as different brains are.

This finds the same picture, and not the same patient: neither collection tells who its patients are. Mirrored
and rotated copies are not found. Pictures of a single grey value all have the same hash.
"""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from medscale.scans.images import read_grey, resize_grey

log = logging.getLogger(__name__)

# The mean frequency, which is the brightness, is no bit.
HASHED_PX, FREQUENCIES = 32, 16
HASH_BITS = FREQUENCIES**2 - 1
NEAR_BITS = 44
# A row or column is margin where fewer of its pixels are brighter than this.
MARGIN_GREY, MARGIN_SHARE = 20, 0.02
# So many hashes are compared with all others at once, which bounds memory.
COMPARED = 1024
PAIR_COLUMNS = ["image", "other", "distance_bits", "exact"]


@dataclass(frozen=True)
class Fingerprints:
    """What the pictures of a collection are compared by, in the order of its table.

    Attributes
    ----------
    digests : list of str
        Equal for the same decoded grey pixels.
    hashes : ndarray of bool, shape (pictures, 255)
        Differ in few bits for similar pictures.
    """

    digests: list[str]
    hashes: np.ndarray


def take_fingerprints(paths: Iterable[str]) -> Fingerprints:
    """Read each picture once and return what to compare it by.

    Raises
    ------
    InputError
        For a picture that `read_grey` refuses.
    """
    taken = [(digest_pixels(grey), hash_picture(grey)) for grey in map(read_grey, paths)]
    hashes = np.array([bits for _, bits in taken], bool).reshape(len(taken), HASH_BITS)
    return Fingerprints([digest for digest, _ in taken], hashes)


def digest_pixels(grey: np.ndarray) -> str:
    """Return a digest of grey pixels, uint8 of shape (rows, columns), which is the same in any encoding."""
    rows, columns = grey.shape
    return hashlib.sha256(f"{rows}x{columns} ".encode() + np.ascontiguousarray(grey).tobytes()).hexdigest()


def hash_picture(grey: np.ndarray) -> np.ndarray:
    """Return the perceptual hash of a picture.

    Its margins are cut off, the rest is stretched to 32 × 32 pixels, and the lowest 16 × 16 frequencies of
    its cosine transform, without the mean, are compared with their median.

    Parameters
    ----------
    grey : ndarray of uint8, shape (rows, columns)

    Returns
    -------
    ndarray of bool, shape (255,)
    """
    small = resize_grey(_cut_margins(grey).astype(np.float32), HASHED_PX)
    low = cv2.dct(small)[:FREQUENCIES, :FREQUENCIES].ravel()[1:]
    return low > np.median(low)


def find_pairs(names: Sequence[str], prints: Fingerprints, near_bits: int = NEAR_BITS) -> pd.DataFrame:
    """List the pairs of pictures that are duplicates.

    Parameters
    ----------
    names : sequence of str
        Of the pictures, in the order of `prints`.
    near_bits : int
        Most bits in which near duplicates differ; with -1, only exact ones are found.

    Returns
    -------
    DataFrame
        image, other (both names, in the order of the pictures), distance_bits, exact (bool).
    """
    _, codes = np.unique(prints.digests, return_inverse=True)
    parts = [
        _compare(prints.hashes, codes, start, near_bits) for start in range(0, len(names), COMPARED)
    ] or [np.zeros((0, 4), int)]
    rows = np.concatenate(parts)
    named = np.asarray(names, object)
    columns = (named[rows[:, 0]], named[rows[:, 1]], rows[:, 2], rows[:, 3].astype(bool))
    return pd.DataFrame(dict(zip(PAIR_COLUMNS, columns, strict=True)))


def join_groups(names: Sequence[str], pairs: pd.DataFrame) -> list[str]:
    """Return the group of each picture: all that pairs connect, called after the first of them.

    Parameters
    ----------
    pairs : DataFrame
        Columns image and other.
    """
    index = pd.Index(names)
    first, other = (index.get_indexer(pairs[column]) for column in ("image", "other"))
    links = coo_matrix((np.ones(len(pairs)), (first, other)), shape=(len(names), len(names)))
    _, labels = connected_components(links, directed=False)
    _, leaders = np.unique(labels, return_index=True)
    return [names[leader] for leader in leaders[labels]]


def find_contradicted(digests: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Return which pictures have the same pixels as one of another class, bool of shape (pictures,)."""
    table = pd.DataFrame({"digest": list(digests), "class": list(classes)})
    return (table.groupby("digest")["class"].transform("nunique") > 1).to_numpy(bool)


def _cut_margins(grey: np.ndarray) -> np.ndarray:
    bright = grey > MARGIN_GREY
    rows, columns = (np.flatnonzero(bright.mean(axis) >= MARGIN_SHARE) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return grey
    return grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _compare(hashes: np.ndarray, codes: np.ndarray, start: int, near_bits: int) -> np.ndarray:
    """Return (first, other, distance, exact) of pairs whose first is among `COMPARED` from `start`."""
    signs = np.where(hashes[start:], np.float32(1), np.float32(-1))
    block = signs[:COMPARED]
    # Equal signs add 1 and different ones take 1 away; sums this small are exact in float32.
    distances = np.rint((HASH_BITS - block @ signs.T) / 2).astype(int)
    exact = codes[start : start + len(block), None] == codes[None, start:]
    found = np.triu((distances <= near_bits) | exact, 1)
    first, other = np.nonzero(found)
    return np.column_stack([first + start, other + start, distances[found], exact[found]])
