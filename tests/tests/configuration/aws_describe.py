"""Runs commands of AWS' own command line, each with its `> FILE`, in one process: it takes half a second to start."""

import contextlib
import json
import os
import shlex
import sys

from awscli.clidriver import create_clidriver

for folder, commands in json.load(sys.stdin):
    for command in commands:
        words = shlex.split(command, comments=True)
        at = words.index(">")
        with open(os.path.join(folder, words[at + 1]), "w") as file, contextlib.redirect_stdout(file):
            code = create_clidriver().main(words[1:at])
        if code:
            sys.exit(f"{command}: {code}")
