"""The command line: `python -m sketchlab --help`.

Exit codes: 0 done, 1 something does not fit (said in words; of `repeat`: other numbers), 2 not a
command, 130 stopped by Ctrl-C.
"""

import argparse
import os
import sys
from pathlib import Path

from . import records
from .checks import check_count, check_seed
from .commands import COMMANDS, SEED

PROGRAM = "python -m sketchlab"
FIGURE_NAMES = (
    "the paper's names.txt, or another file of 1000 names or more, one on each line (default: "
    "embedded names)"
)
BOARD_STORE = "a JSON file for what is finished: the same call goes on from there"
HELP = {  # of a setting, or of a command and a setting
    "names": "a file with a name on each line (default: embedded names)",
    ("figure1", "names"): FIGURE_NAMES,
    ("figure2", "names"): FIGURE_NAMES,
    ("figure3", "names"): FIGURE_NAMES,
    ("unlearning", "names"): "a file with some of the embedded names (default: all of them)",
    ("playground", "names"): "a file with 10 names or more, one on each line: the first 300 are "
    "taken, and a tenth of these is held out, to be asked about (default: embedded names)",
    "data": "a text file with a document on each line",
    "delete": "a regular expression: documents in which it is found are deleted",
    "request": "a reference to the request, for the report",
    "test_name": "the name whose loss is asked for",
    "degree": "of the jets",
    "directions": "random directions of the sketch (of a report: 0, no prediction)",
    "no_texts": "leave the texts of the deleted documents out of the page and of the record, which "
    "keeps the pattern",
    "store": "a folder for what is finished: the same call goes on from there",
    ("accuracy", "store"): BOARD_STORE,
    ("scoreboard", "store"): BOARD_STORE,
    "count": "how many of the names to train on, the first ones",
    "deletions": "of each size, 8 or more",
    "forget": "how many names to forget, drawn at random",
    "seeds": "how many models of each kind",
    "methods": "only these, with semicolons between them",
    "seed": "of what is drawn at random",
    "jobs": "processes",
}


def parser():
    """The parser of all commands."""
    found = argparse.ArgumentParser(prog=PROGRAM, description=__doc__.split("\n")[0])
    commands = found.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        said = command.call.__doc__
        options = commands.add_parser(name, help=said, description=said)
        kinds = " or ".join(command.kinds)
        options.add_argument("--output", required=True, help=f"{kinds} file to write or replace")
        options.add_argument("--record", help="JSON file for the record (default: beside OUTPUT)")
        for setting, default in command.settings.items():
            given = {"required": True} if default is ... else {"default": default}
            said = HELP.get((name, setting)) or HELP[setting]
            if default is False:
                given["action"] = "store_true"
            elif isinstance(default, int):
                given["type"] = number(
                    check_seed if setting == "seed" or not default else check_count
                )
                said += f" (default: {default})"
            elif default not in (None, ..., ""):
                said += f" (default: {default})"
            options.add_argument(f"--{setting.replace('_', '-')}", help=said, **given)
    said = "Compute a record again, beside it, and tell whether the numbers are the same."
    options = commands.add_parser("repeat", help=said, description=said)
    options.add_argument("record", help="what a command wrote")
    options.add_argument("--output", help="file to write (default: beside the record)")
    return found


def number(check):
    """The type of a whole number, which says what is allowed."""

    def read(text):
        try:
            return check(int(text) if text.lstrip("-").isdigit() else text, "it")
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


def check_output(path, kinds):
    """Raise OSError or ValueError for a file that cannot be written."""
    path = Path(path)
    if path.suffix not in kinds:
        raise ValueError(f"cannot write {path}: it must be a {' or '.join(kinds)} file")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"cannot write {path}: there is no folder {path.parent}")
    if path.is_dir():
        raise IsADirectoryError(f"cannot write {path}: it is a folder")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise PermissionError(f"cannot write {path}: writing is not allowed there")


def compute(name, settings, output):
    """What a command returns and writes to `output`; settings: all of them, by name."""
    command = COMMANDS[name]
    check_output(output, command.kinds)
    files = [settings[key] for key in ("names", "data") if settings.get(key) is not None]
    for path in files:
        records.check_file(path)
    numbers = command.call(argparse.Namespace(output=output, **settings), True)
    print(f"wrote {output}")
    return records.record(name, settings, settings.get("seed", SEED), files, numbers)


def run(options):
    """A command, and its record."""
    settings = {name: getattr(options, name) for name in COMMANDS[options.command].settings}
    path = Path(options.record or Path(options.output).with_suffix(".json"))
    check_output(path, (".json",))
    records.check_free(path, settings.get("store"))
    found = compute(options.command, settings, options.output)
    records.write(found, path)
    print(f"wrote {path}: {PROGRAM} repeat {path} computes it again")
    return 0


def repeat(options):
    """A record's command again; 1 if its numbers are others."""
    found = records.read(options.record)
    command = COMMANDS.get(found["command"])
    if command is None or found["settings"].keys() != command.settings.keys():
        raise ValueError(f"{options.record} was written by another sketchlab: {found['versions']}")
    beside = Path(options.record).with_suffix(f".repeated{command.kinds[0]}")
    fresh = found["settings"] | {name: None for name in ("store",) if name in found["settings"]}
    now = compute(found["command"], fresh, options.output or beside)  # not what is stored
    for name, version in found["versions"].items():
        if now["versions"].get(name) != version:
            print(f"{name} was {version} and is {now['versions'].get(name)}")
    differ = records.differences(found["numbers"], now["numbers"])
    for sentence in differ[:5]:
        print(sentence)
    print(f"{len(differ)} numbers differ" if differ else "the same numbers")
    return 1 if differ else 0


def main(arguments=None):
    """Run a command; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        return repeat(options) if options.command == "repeat" else run(options)
    except KeyboardInterrupt:
        kept = " With the same --store it goes on." if getattr(options, "store", None) else ""
        print(f"\n{PROGRAM} {options.command}: stopped.{kept}", file=sys.stderr)
        return 130
    except (OSError, TypeError, ValueError) as error:
        print(f"{PROGRAM} {options.command}: {in_words(error)}", file=sys.stderr)
        return 1


def in_words(error):
    """What an error says; one of the operating system, without its number."""
    if not getattr(error, "strerror", None):
        return str(error)
    return error.strerror + (f": {error.filename}" if error.filename else "")


if __name__ == "__main__":
    sys.exit(main())
