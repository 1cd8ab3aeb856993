"""Stands where execnet started an interpreter: hands its files to a worker that is forked, and ends with it.

Run without the packages, as it needs none: `python -S -E worker_link.py NAME`, with what execnet adds.
"""

import socket
import sys

if __name__ == "__main__":
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as loader:
        loader.connect(f"\0{sys.argv[1]}")
        socket.send_fds(loader, [b"w"], [0, 1, 2])
        loader.recv(1)
