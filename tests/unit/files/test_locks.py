import subprocess
import sys
import time

from medscale.files.locks import exclusive

HOLD = """
import sys, time
from medscale.files.locks import exclusive
with exclusive(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def _holder(path, root):
    process = subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, cwd=root)
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_second_process_waits_until_the_first_is_gone(tmp_path, root):
    with _holder(tmp_path / "run.lock", root) as first:
        waiter = subprocess.Popen(
            [sys.executable, "-c", HOLD, tmp_path / "run.lock"], stdout=subprocess.PIPE, cwd=root
        )
        time.sleep(1)
        assert waiter.poll() is None
        first.kill()
        assert waiter.stdout.readline() == b"held\n"
        waiter.kill()
        waiter.wait()


def test_a_killed_holder_leaves_nothing_to_clean_up(tmp_path, root):
    with _holder(tmp_path / "run.lock", root) as first:
        first.kill()
    with exclusive(tmp_path / "run.lock"):
        pass
