import errno
import os
import subprocess
import sys

import pytest

from medscale.errors import InputError
from medscale.files.atomic import atomic_path


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_path(target) as temporary:
        temporary.write_text(f"half of the n{1 / 0}")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_a_written_file_can_be_read_by_others(tmp_path):
    with atomic_path(tmp_path / "new" / "table.csv") as temporary:
        temporary.write_text("whole")
    assert (tmp_path / "new" / "table.csv").read_text() == "whole"
    assert (tmp_path / "new" / "table.csv").stat().st_mode & 0o044


def test_a_full_disk_is_explained(tmp_path):
    with (
        pytest.raises(InputError, match=r"table\.csv: found no space left"),
        atomic_path(tmp_path / "table.csv"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_other_errors_stay_as_they_are(tmp_path):
    with pytest.raises(PermissionError), atomic_path(tmp_path / "table.csv"):
        raise PermissionError(errno.EACCES, "no")


WRITE_FOREVER = """
import sys, time
from medscale.files.atomic import atomic_path
with atomic_path(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print(temporary.name, flush=True)
    time.sleep(60)
"""


def test_what_a_killed_writer_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path, root):
    target = tmp_path / "table.csv"
    command = [sys.executable, "-c", WRITE_FOREVER, target]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) for _ in range(2)]
    dead, living = (writer.stdout.readline().strip() for writer in writers)
    writers[0].kill()
    writers[0].wait()
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
    assert {path.name for path in tmp_path.iterdir()} == {"table.csv", living}
    writers[1].kill()
    writers[1].wait()
    assert dead != living
    assert target.read_text() == "whole"
    assert str(os.getpid()) not in living
