# SPDX-License-Identifier: MIT
"""The other drivers' programs of bench/peers: built below build/bench-peers with their own package clients, and how each is called.

A peer whose toolchain is missing, or that cannot be built, is left out with a line that says so."""
import glob
import hashlib
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(os.path.dirname(HERE), "build", "bench-peers")


def at(*names):
    return os.path.join(BUILD, *names)


# name: tools that must be there, commands that build it inside its copied folder, the program
PEERS = {
    "scylla": (["cargo"], [["cargo", "build", "--release", "--quiet"]],
               [at("scylla", "target", "release", "peer-scylla")]),
    "gocql": (["go"], [["go", "build", "-o", "peer-gocql", "."]], [at("gocql", "peer-gocql")]),
    "java": (["java", "mvn"],
             [["mvn", "-q", "-B", "package", "dependency:copy-dependencies", "-DoutputDirectory=target/lib"]],
             ["java", "-cp", at("java", "target", "peer-java-0.jar") + ":" + at("java", "target", "lib", "*"), "Peer"]),
    "python": (["python3"],
               [["python3", "-m", "venv", "venv"],
                ["venv/bin/pip", "--quiet", "--disable-pip-version-check", "install", "-r", "requirements.txt"]],
               [at("python", "venv", "bin", "python"), at("python", "peer.py")]),
    "node": (["node", "npm"], [["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]],
             ["node", at("node", "peer.js")]),
    "floor": (["cc"], [["cc", "-O2", "-o", "floor", "floor.c"]], [at("floor", "floor")]),
}


def skip(name, why):
    print(f"bench: without {name}: {why}", file=sys.stderr)


def sources(name):
    return sorted(path for path in glob.glob(os.path.join(HERE, "peers", name, "**"), recursive=True)
                  if os.path.isfile(path))


def digest(name):
    text = hashlib.sha256(repr(PEERS[name]).encode())
    for path in sources(name):
        with open(path, "rb") as source:
            text.update(path.encode() + b"\0" + source.read())
    return text.hexdigest()


def build(name):
    """The command that runs the peer, or None. What was built from the same sources is not built again."""
    tools, commands, program = PEERS[name]
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        skip(name, "there is no " + " or ".join(missing))
        return None
    stamp, wanted = at(name, "built"), digest(name)
    if os.path.exists(stamp):
        with open(stamp, encoding="ascii") as built:
            if built.read() == wanted:
                return program
    shutil.copytree(os.path.join(HERE, "peers", name), at(name), dirs_exist_ok=True)
    print(f"bench: building {name}", file=sys.stderr)
    for command in commands:
        done = subprocess.run(command, cwd=at(name), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if done.returncode != 0:
            skip(name, f"{' '.join(command)} failed: {' '.join(done.stdout.split())[-300:]}")
            return None
    with open(stamp, "w", encoding="ascii") as built:
        built.write(wanted)
    return program
