import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from toprope.kit.witness import Witness, WitnessError, list_witnesses, read_witness


def hash_of(seq: int) -> bytes:
    return seq.to_bytes(32, "big")


def in_another_process(directory: Path, code: str) -> None:
    """Run `code` with a witness `w` on the directory, and wait for its end."""
    script = (
        "import os, sys; from pathlib import Path; from toprope.kit.witness import Witness\n"
        f"w = Witness(Path(sys.argv[1]))\n{code}"
    )
    subprocess.run([sys.executable, "-c", script, str(directory)], check=True)


def test_keeps_what_it_saw_in_the_order_it_saw_it(tmp_path):
    witness = Witness(tmp_path / "made" / "on the way")
    for seq in (1, 3, 2):
        witness.saw(seq, hash_of(seq))
    [file] = list_witnesses(tmp_path / "made" / "on the way")
    assert read_witness(file) == [(seq, hash_of(seq)) for seq in (1, 3, 2)]


def test_there_may_be_no_witness_yet(tmp_path):
    assert list_witnesses(tmp_path / "nothing here") == []


def test_two_at_a_time_have_two_files(tmp_path):
    first, second = Witness(tmp_path), Witness(tmp_path)
    first.saw(1, hash_of(1))
    second.saw(2, hash_of(2))
    assert [read_witness(file)[0][0] for file in list_witnesses(tmp_path)] == [1, 2]


def test_a_new_process_carries_on_the_file_of_one_that_ended(tmp_path):
    in_another_process(tmp_path, "w.saw(5, bytes(32))")
    Witness(tmp_path).saw(6, hash_of(6))
    [file] = list_witnesses(tmp_path)
    assert read_witness(file) == [(5, bytes(32)), (6, hash_of(6))]


def test_a_killed_process_leaves_what_it_saw(tmp_path):
    with pytest.raises(subprocess.CalledProcessError):
        in_another_process(tmp_path, "w.saw(5, bytes(32)); os.kill(os.getpid(), 9)")
    [file] = list_witnesses(tmp_path)
    assert read_witness(file) == [(5, bytes(32))]


def test_a_forked_child_takes_a_file_of_its_own(tmp_path):
    in_another_process(
        tmp_path,
        "w.saw(1, bytes(32))\n"
        "child = os.fork()\n"
        "w.saw(2 if child else 3, bytes(32))\n"
        "if child: os.waitpid(child, 0); w.saw(4, bytes(32))",
    )
    assert sorted([seq for seq, _ in read_witness(file)] for file in list_witnesses(tmp_path)) == [
        [1, 2, 4],
        [3],
    ]


def test_threads_lose_nothing(tmp_path):
    witness = Witness(tmp_path)

    def see(numbers: range) -> None:
        for seq in numbers:
            witness.saw(seq, hash_of(seq))

    threads = [threading.Thread(target=see, args=(range(start, 800, 4),)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [file] = list_witnesses(tmp_path)
    assert sorted(read_witness(file)) == [(seq, hash_of(seq)) for seq in range(800)]


def test_a_long_life_is_thinned_out_from_its_beginning(tmp_path):
    witness = Witness(tmp_path)
    for seq in range(1, 25_001):
        witness.saw(seq, hash_of(seq))
    [file] = list_witnesses(tmp_path)
    seen = [seq for seq, _ in read_witness(file)]
    assert len(seen) < 10_000
    assert seen[0] == 1
    assert seen[-1_000:] == list(range(24_001, 25_001))
    assert all(later - earlier <= 16 for earlier, later in pairwise(seen))
    other = Witness(tmp_path)  # the thinned-out file still belongs to the first
    other.saw(1, hash_of(1))
    assert len(list_witnesses(tmp_path)) == 2


def test_a_line_cut_short_by_a_power_cut_is_passed_over(tmp_path):
    in_another_process(tmp_path, "w.saw(5, bytes(32)); w.saw(6, bytes(32))")
    [file] = list_witnesses(tmp_path)
    file.write_bytes(file.read_bytes()[:-10] + bytes(10))
    assert read_witness(file) == [(5, bytes(32))]
    Witness(tmp_path).saw(7, hash_of(7))
    assert read_witness(file) == [(5, bytes(32)), (7, hash_of(7))]


def test_a_spoilt_file_is_named_and_left_alone(tmp_path):
    in_another_process(tmp_path, "w.saw(5, bytes(32)); w.saw(6, bytes(32))")
    [file] = list_witnesses(tmp_path)
    spoilt = b"9" * 19 + b"x" + file.read_bytes()[20:]
    file.write_bytes(spoilt)
    with pytest.raises(WitnessError, match=r"0000\.witness was damaged or changed: line 1"):
        read_witness(file)
    Witness(tmp_path).saw(7, hash_of(7))
    assert file.read_bytes() == spoilt
    assert read_witness(list_witnesses(tmp_path)[1]) == [(7, hash_of(7))]


def test_a_line_that_finds_no_room_is_told_and_leaves_no_trace(tmp_path):
    in_another_process(
        tmp_path,
        "import resource\n"
        "w.saw(5, bytes(32))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"  # one line fits, the second in part
        "try: w.saw(6, bytes(32))\n"
        "except OSError as error: assert 'No space left' in str(error)\n"
        "else: raise AssertionError('nothing was told')",
    )
    [file] = list_witnesses(tmp_path)
    assert read_witness(file) == [(5, bytes(32))]
    assert file.stat().st_size == 86
