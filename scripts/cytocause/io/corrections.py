"""Where a hand correction stands in its file.

In a module of its own, so that the stages that ask do not depend on the code that reads sheets.
"""


def row_of(correction):
    """The row of a correction in its file, for messages; None when it is not there.

    The number is looked up only where a message needs it: kept in the parameters it would rerun a stage whenever a line above moves.
    """
    try:
        with open(correction["file"], encoding="utf-8-sig", newline="") as handle:
            lines = handle.read().splitlines()
    except OSError:
        return None
    header = None
    for number_, line in enumerate(lines, 1):
        if not line.strip() or line[0] == "#":
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        if header is None:
            header = cells
            continue
        row = dict(zip(header, cells))
        if all(row.get(key) == str(correction[key]) for key in ("population", "track_id", "frame", "action")):
            return number_
    return None
