# SPDX-License-Identifier: MIT
"""Programs over other clients of Cassandra, for the benchmark (bench/peers) and the tests (tests/clients).

A program is a folder with sources and the file that names its packages. It is copied below the user's cache, built there with the
package client of its language, and not built again until its sources change. Packages are fetched with a few tries."""

import contextlib
import fcntl
import glob
import hashlib
import os
import re
import shutil
import subprocess
import time

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "corm", "clients")
TRIES = 3


class Missing(Exception):
    """Why a program cannot be had: its language or its packages."""


def only(folder, pattern):
    """The one file of the folder that fits; of several the one with `main` in its name."""
    found = glob.glob(os.path.join(folder, pattern))
    if len(found) > 1:
        found = [path for path in found if os.path.basename(path).lower().startswith("main.")]
    if len(found) != 1:
        raise ValueError(f"{len(found)} files {pattern} in {folder}")
    return found[0]


def cargo_name(folder):
    with open(os.path.join(folder, "Cargo.toml"), encoding="utf-8") as manifest:
        return re.search(r'^name = "(.*)"', manifest.read(), re.M).group(1)


def java_command(folder):
    main = os.path.basename(only(folder, "src/main/java/*.java")).removesuffix(".java")
    return ["java", "-cp", f"{folder}/target/classes:{folder}/target/lib/*", main]


MAVEN = ["mvn", "-q", "-B", "compile", "dependency:copy-dependencies", "-DoutputDirectory=target/lib"]
NPM = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
PIP = ["venv/bin/pip", "--quiet", "--disable-pip-version-check", "install", "-r", "requirements.txt"]

# file that marks the kind: tools that must be there, commands that build it inside its copied folder, the program
KINDS = {
    "Cargo.toml": (["cargo"], [["cargo", "build", "--release", "--quiet"]],
                   lambda at: [os.path.join(at, "target", "release", cargo_name(at))]),
    "go.mod": (["go"], [["go", "build", "-o", "program", "."]], lambda at: [os.path.join(at, "program")]),
    "pom.xml": (["java", "mvn"], [MAVEN], java_command),
    "requirements.txt": (["python3"], [["python3", "-m", "venv", "venv"], PIP],
                         lambda at: [os.path.join(at, "venv", "bin", "python"), only(at, "*.py")]),
    "package.json": (["node", "npm"], [NPM], lambda at: ["node", only(at, "*.js")]),
    "": (["cc"], [["sh", "-c", "cc -O2 -o program *.c"]], lambda at: [os.path.join(at, "program")]),
}


def kind_of(source):
    return next(kind for mark, kind in KINDS.items() if os.path.exists(os.path.join(source, mark)))


def files(source):
    return sorted(path for path in glob.glob(os.path.join(source, "**"), recursive=True) if os.path.isfile(path))


def digest(source, commands):
    text = hashlib.sha256(repr(commands).encode())
    for path in files(source):
        with open(path, "rb") as content:
            text.update(os.path.relpath(path, source).encode() + b"\0" + content.read())
    return text.hexdigest()


def attempt(command, folder):
    """Runs a command that may need the network; what it said when it never worked."""
    for again in range(TRIES):
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
        if done.returncode == 0:
            return
        time.sleep(3 * again + 1)
    raise Missing(f"{' '.join(command)} failed: {' '.join(done.stdout.split())[-300:]}")


@contextlib.contextmanager
def alone(folder):
    """One process at a time builds in a folder."""
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with open(folder + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(name, source, say):
    """The command that runs the program; `say` is told when it has to be built."""
    tools, commands, program = kind_of(source)
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        raise Missing("there is no " + " or ".join(missing))
    folder = os.path.join(CACHE, name)
    with alone(folder):
        stamp, wanted = os.path.join(folder, "built"), digest(source, commands)
        if os.path.exists(stamp):
            with open(stamp, encoding="ascii") as built:
                if built.read() == wanted:
                    return program(folder)
            os.remove(stamp)
        say(f"building {name}")
        shutil.copytree(source, folder, dirs_exist_ok=True)
        for command in commands:
            attempt(command, folder)
        with open(stamp, "w", encoding="ascii") as built:
            built.write(wanted)
    return program(folder)
