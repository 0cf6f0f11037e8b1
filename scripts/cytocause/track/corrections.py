"""Corrections by hand. They win over what was found, in the order of their file.

    link          `track_id` goes on where `value` (the earlier piece) ended: its rows become rows of `value`
    cut           `track_id` ends before `frame`; from there on it is a new track with the next free number, without a mother
    exclude       the whole track is left out (cut it first to leave out a part)
    type          the whole track has the cell type `value`
    division      the tracks in `value`, separated by commas, are its daughters, and no others; without `value` the lineage stays as it is
    not_division  its daughters, if there are any, have no mother

`fate` reads the rows of the last two as well, for the events: lineage and events agree.

Every row that changed gets source "manual". Other tracks keep their numbers.
"""

import numpy as np

from cytocause.io.corrections import correction_defect, daughters_of

ACTIONS = ("link", "cut", "exclude", "type", "division", "not_division")


def correct_tracks(columns, corrections, frames=()):
    """Apply corrections.

    columns      dict of arrays (see table.tracks_table), changed copies are returned
    corrections  list of dicts: track_id, frame, action, value (link, type, division), file
    frames       frame numbers of the movie: a division may be dated to the frame after its mother's last; () are those of the tracks
    Returns      columns
    Raises       InputDefect naming the file and the row of a correction that fits no track
    """
    columns = {name: np.array(values, copy=True) for name, values in columns.items()}
    for correction in corrections:
        action = correction.get("action")
        if action not in ACTIONS:
            raise correction_defect(correction, f"The action is {action!r}; expected one of {', '.join(ACTIONS)}.")
        own = _rows_of(columns, correction, frames)
        if action == "type":
            columns["cell_type"][own] = str(correction["value"])
            columns["source"][own] = "manual"
        elif action == "exclude":
            columns = _exclude(columns, own, int(correction["track_id"]))
        elif action == "cut":
            _cut(columns, own, correction)
        elif action == "division":
            _divide(columns, own, correction)
        elif action == "not_division":
            _set_daughters(columns, int(correction["track_id"]), [])
        else:
            _link(columns, own, correction)
    return columns


def _rows_of(columns, correction, movie_frames):
    track, frame = int(correction["track_id"]), correction.get("frame")
    own = columns["track_id"] == track
    if not own.any():
        known = np.unique(columns["track_id"])
        span = f"its tracks are {known[0]} to {known[-1]}" if len(known) else "it has no tracks"
        raise correction_defect(correction, f"There is no track {track} in the population {correction.get('population')!r}; {span}.")
    frames = columns["frame"][own]
    allowed = set(frames.tolist())
    if "division" in correction["action"]:  # a person points at the mother's last frame or at where the daughters begin
        later = [number for number in (movie_frames or columns["frame"].tolist()) if number > frames.max()]
        allowed |= {min(later)} if later else set()
        allowed |= {_begin(columns, daughter) for daughter in daughters_of(correction)}
    if frame not in (None, "") and int(frame) not in allowed:
        raise correction_defect(correction, f"Track {track} has no cell in frame {frame}; it lives from frame {frames.min()} to {frames.max()}.")
    return own


def _exclude(columns, own, track):
    orphans = columns["parent_id"] == track
    columns["parent_id"][orphans] = 0
    columns["source"][orphans] = "manual"
    return {name: values[~own] for name, values in columns.items()}


def _cut(columns, own, correction):
    frame = int(correction["frame"])
    later = own & (columns["frame"] >= frame)
    if later.sum() == own.sum():
        raise correction_defect(correction, f"Track {correction['track_id']} begins in frame {frame}; a cut there leaves nothing before it.")
    new = columns["track_id"].max() + 1
    # daughters are daughters of the piece that reached them
    daughters = columns["parent_id"] == int(correction["track_id"])
    columns["parent_id"][daughters] = new
    columns["track_id"][later] = new
    columns["parent_id"][later] = 0
    columns["source"][later | daughters] = "manual"


def _begin(columns, track):
    """First frame of a track; None when it is not there."""
    own = columns["track_id"] == track
    return int(columns["frame"][own].min()) if own.any() else None


def _divide(columns, own, correction):
    mother, daughters, ends = int(correction["track_id"]), daughters_of(correction), columns["frame"][own].max()
    for daughter in daughters:
        begins = _begin(columns, daughter)
        if begins is None:
            raise correction_defect(correction, f"There is no track {daughter} to be a daughter of track {mother}.")
        if begins <= ends:
            raise correction_defect(
                correction,
                f"Track {daughter} begins in frame {begins}, but track {mother}, which should be its mother, ends in frame {ends}; "
                "daughters begin after their mother's end (cut the mother first where she goes on as one of them).",
            )
    if daughters:
        _set_daughters(columns, mother, daughters)


def _set_daughters(columns, mother, daughters):
    """Make the tracks `daughters`, and no others, daughters of a track."""
    were, are = columns["parent_id"] == mother, np.isin(columns["track_id"], daughters)
    columns["parent_id"][were] = 0
    columns["parent_id"][are] = mother
    columns["source"][were | are] = "manual"


def _link(columns, own, correction):
    track = int(correction["track_id"])
    try:
        earlier = int(correction.get("value"))
    except (TypeError, ValueError):
        raise correction_defect(
            correction, f"The value of a link is {correction.get('value')!r}; expected the track_id of the earlier piece."
        ) from None
    before = columns["track_id"] == earlier
    if earlier == track:
        raise correction_defect(correction, f"Track {track} is linked to itself.")
    if not before.any():
        raise correction_defect(correction, f"There is no track {earlier} for track {track} to continue.")
    ends, begins = columns["frame"][before].max(), columns["frame"][own].min()
    if ends >= begins:
        raise correction_defect(
            correction,
            f"Track {track} begins in frame {begins}, but track {earlier}, which it should continue, ends in frame {ends}; "
            "the earlier piece must end before.",
        )
    # the earlier piece goes on, so it did not divide: other daughters lose it; daughters of the later piece are now its own
    siblings = (columns["parent_id"] == earlier) & ~own
    columns["parent_id"][siblings] = 0
    daughters = columns["parent_id"] == track
    columns["parent_id"][daughters] = earlier
    columns["parent_id"][own] = columns["parent_id"][before][0]
    columns["cell_type"][own] = columns["cell_type"][before][0]
    columns["track_id"][own] = earlier
    columns["source"][own | siblings | daughters] = "manual"
