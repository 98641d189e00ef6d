"""The first word spoken on a fresh machine: `python3 -m bot demo`, `test` or `check`."""

import sys

OLDEST = (3, 11)


def main() -> int:
    """Refuse a Python that is too old, in words any Python 3 can say; else go on."""
    if tuple(sys.version_info[:2]) < OLDEST:
        running = ".".join(str(part) for part in sys.version_info[:2])
        print(
            "Signoff needs Python 3.11 or newer, and this is Python " + running + ". "
            "Try `python3.11 -m bot` (or 3.12, 3.13), or install a newer Python first.",
            file=sys.stderr,
        )
        return 1
    from bot.commands import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
