"""What the stages that apply hand corrections share: where a correction stands in its file, and the daughters that one names.

In a module of its own, so that the stages that ask do not depend on the code that reads sheets.
"""

from cytocause.io.errors import InputDefect


def daughters_of(correction):
    """The tracks that a division names in its value, as a list of int; empty where it names none. InputDefect where these are no numbers."""
    value = correction.get("value")
    if correction["action"] != "division" or value in (None, ""):
        return []
    try:
        return list(dict.fromkeys(int(word) for word in str(value).split(",")))
    except ValueError:
        raise InputDefect(
            f"The value of a division is {value!r}; expected the track_ids of the daughters, separated by commas.",
            file=correction.get("file"),
            row=row_of(correction) if correction.get("file") else None,
            todo="Mend the value, or leave it blank to keep the lineage as it is.",
        ) from None


def correction_defect(correction, what):
    """An InputDefect that says `what`, with the correction's file and row and what to do; to be raised."""
    file = correction.get("file")
    return InputDefect(
        what,
        file=file,
        row=row_of(correction) if file else None,
        todo="Look the track up in tracks.parquet or the overlay film, and mend or remove this correction.",
    )


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
