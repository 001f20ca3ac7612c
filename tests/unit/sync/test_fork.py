"""A process that begins as a copy of this one. Each is tried in a process with one thread, as it is made in one."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there a process is copied")

BEGINNING = """
import os, resource, signal, subprocess, sys, threading, time
from xlsms_service.sync.fork import Fork, can_fork
from xlsms_service.sync.pipe import ends, get, put, wait_for

def echo():
    given, said = ends()
    print("this goes nowhere near the pipe")
    while (heard := get(given)) != "end":
        put(said, (heard, os.getsid(0) == os.getpid(), signal.getsignal(signal.SIGTERM) == signal.SIG_DFL))
"""


def seen(code):
    done = subprocess.run(
        [sys.executable, "-c", BEGINNING + code], capture_output=True, text=True, timeout=120, check=False
    )
    return done.stdout.splitlines(), done.stderr.splitlines()


@pytest.mark.parametrize("own", [False, True])
def test_it_hears_and_answers_over_its_pipes_and_ends_when_its_work_does(own):
    code = f"""
signal.signal(signal.SIGTERM, lambda *_: None)
copy = Fork(echo, "a-copy", own_session={own})
put(copy.stdin, [1])
print(get(copy.stdout), copy.poll())
put(copy.stdin, "end")
print(copy.wait(60), copy.poll(), copy.wait())
copy.kill()
"""
    assert seen(code) == ([f"([1], {own}, True) None", "0 0 0"], ["this goes nowhere near the pipe"])


def test_what_goes_wrong_in_it_is_a_line_and_nothing_of_the_other_one_is_ended():
    code = """
def work():
    raise RuntimeError("the number 600000001")
try:
    print(Fork(work, "a-copy").wait(60))
finally:
    print("ended once")
"""
    said, errors = seen(code)
    assert said == ["1", "ended once"]
    assert errors == ["a process that works on long lists has ended; another is started when it is needed"]


def test_it_holds_nothing_open_that_the_other_one_does():
    code = """
from tempfile import TemporaryFile

class Closed:
    def __init__(self):
        self.file = TemporaryFile()

gap = os.open(os.devnull, os.O_RDONLY)  # the first free number lies below some that are taken
kept = Closed()
until, held = os.pipe()
os.close(gap)

def work():
    stand = {os.path.realpath(f"/proc/self/fd/{each}") for each in (kept.file.fileno(), until, held)}
    own = TemporaryFile()
    kept.file.close()  # as an object does that nobody needs any more
    own.write(b"still there")
    own.flush()
    put(os.fdopen(1, "wb"), (stand, os.fstat(own.fileno()).st_size))
    os.read(0, 1)

copy = Fork(work, "a-copy")
print(*get(copy.stdout))
os.close(held)
print(os.read(until, 1), copy.poll())
copy.stdin.close()
print(copy.wait(60))
"""
    assert seen(code) == (["{'/dev/null'} 11", "b'' None", "0"], [])


def test_it_is_waited_for_no_longer_than_asked_though_it_has_said_something():
    code = """
def work():
    os.write(1, b"unread")
    time.sleep(600)
copy = Fork(work, "a-copy")
try:
    copy.wait(0.05)
except subprocess.TimeoutExpired:
    copy.kill()
print(copy.wait(60))
"""
    assert seen(code) == (["-9"], [])


def test_whose_end_somebody_else_was_told_of_has_ended():
    code = """
copy = Fork(lambda: None, "a-copy")
os.waitpid(-1, 0)
print(copy.wait(60), copy.poll())
"""
    assert seen(code) == (["0 0"], [])


def test_where_a_standard_stream_is_closed_none_is_made():
    code = """
os.close(0)
try:
    Fork(echo, "a-copy")
except OSError as error:
    print(error)
"""
    assert seen(code) == (["a standard stream is closed"], [])


def test_where_threads_are_or_no_room_is_none_is_made():
    code = """
def refuse():
    raise BlockingIOError
print(can_fork())
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
print(can_fork())
os.fork = refuse
before = len(os.listdir("/proc/self/fd"))
try:
    Fork(echo, "a-copy")
except OSError:
    print(len(os.listdir("/proc/self/fd")) - before)
"""
    assert seen(code) == (["True", "False", "0"], [])


def test_each_is_told_that_the_other_one_has_gone():
    code = """
import select
copy = Fork(lambda: os.read(0, 1), "a-copy")
copy.stdin.close()
try:
    print(copy.wait(60))
except subprocess.TimeoutExpired:
    copy.kill()
print(len(select.select([copy.stdout], [], [], 60)[0]))
"""
    assert seen(code) == (["0", "1"], [])
