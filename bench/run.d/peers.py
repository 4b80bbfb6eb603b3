# SPDX-License-Identifier: MIT
"""The other drivers' programs of bench/peers, built by tools/clients.d/programs.py. A peer whose toolchain is missing, or that cannot
be built, is left out with a line that says so."""

import os
import sys

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tools", "clients.d"))
import programs  # noqa: E402

PEERS = ("scylla", "gocql", "java", "python", "node", "floor")


def skip(name, why):
    print(f"bench: without {name}: {why}", file=sys.stderr)


def build(name):
    """The command that runs the peer, or None."""
    try:
        return programs.build("bench-" + name, os.path.join(HERE, "peers", name),
                              lambda text: print("bench: " + text, file=sys.stderr))
    except programs.Missing as missing:
        skip(name, missing)
        return None
