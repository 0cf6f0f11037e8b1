"""Given events and corrections: both are checked, and both win over what was found.

Given events take over a kind: where a file holds deaths, all deaths are the file's; divisions likewise, also where the lineage
says otherwise (named in a warning). Corrections then win over everything, one track at a time:

    death      the track dies in `frame`: replaces its death, removes its division      not_death      it does not die
    division   its daughters begin in `frame`: replaces its division, removes its death not_division   it does not divide

Daughters that a division names in `value`, and those that a not_division takes away, are set in the lineage by `track`, before.
"""

from functools import partial

import numpy as np

from cytocause.io import InputDefect
from cytocause.io.corrections import correction_defect, daughters_of

KINDS = ("division", "death", "censored")
ALIASES = {"apoptosis": "death"}  # the name of the CausalXtract variable
REASONS = ("movie_end", "border", "lost")
ACTIONS = ("death", "not_death", "division", "not_division")


def given_events(df, *, file, sample, population, extents, frames):
    """Events of a given table as a list of dicts (track_id, event, frame, confidence, source, reason), and warnings.

    df       track_id, event, frame; optional confidence, reason, sample, population (rows of others are left out)
    extents  {track_id: (first frame, last frame)}
    frames   frame numbers of the movie
    Raises   InputDefect naming file and row (the header is row 1)
    """
    row = np.arange(2, len(df) + 2)
    for column, own in (("sample", sample), ("population", population)):
        if column in df.columns:
            keep = (df[column].astype(str) == str(own)).to_numpy()
            df, row = df[keep], row[keep]
    for column in ("track_id", "event", "frame"):
        if column not in df.columns:
            raise InputDefect(
                f"The column {column} is absent; there are {', '.join(map(str, df.columns))}.",
                file=file,
                todo="Add it, or rename the column that holds it.",
            )
    events, seen, outside = [], {}, []
    confidence = df["confidence"] if "confidence" in df.columns else [1.0] * len(df)
    reason = df["reason"] if "reason" in df.columns else [""] * len(df)
    for number, track, kind, frame, sure, why in zip(row, df["track_id"], df["event"], df["frame"], confidence, reason):
        refuse = partial(_refuse, file, int(number))
        kind = ALIASES.get(str(kind), str(kind))
        if kind not in KINDS:
            refuse(f"event is {kind!r}; expected one of {', '.join(KINDS)}.")
        track, frame = _whole(track), _whole(frame)
        if track is None or track not in extents:
            refuse(f"track_id is {df['track_id'].iloc[len(events)]}, and there is no such track in population {population!r}.")
        if frame is None or not frames[0] <= frame <= frames[-1]:
            refuse(f"frame of track {track} is {df['frame'].iloc[len(events)]}; the movie has the frames {frames[0]} to {frames[-1]}.")
        if (track, kind) in seen:
            refuse(f"track {track} has the event {kind} twice (also in row {seen[track, kind]}).")
        seen[track, kind] = int(number)
        first, last = extents[track]
        if not first <= frame <= last + (kind == "division"):
            outside.append(f"{kind} of track {track} in frame {frame} (seen in {first} to {last})")
        sure = _number(sure)
        if sure is None:
            sure = 1.0
        if not 0 <= sure <= 1:
            refuse(f"confidence is {sure:g}; expected 0 to 1.")
        why = str(why) if kind == "censored" and str(why) in REASONS else ("lost" if kind == "censored" else "")
        events.append({"track_id": track, "event": kind, "frame": frame, "confidence": sure, "source": "given", "reason": why})
    warnings = []
    if outside:
        more = f" and {len(outside) - 3} more" if len(outside) > 3 else ""
        warnings.append(f"Given events lie outside their tracks: {'; '.join(outside[:3])}{more}. They are kept.")
    return events, warnings


def _refuse(file, row, what):
    raise InputDefect(what, file=file, row=row, todo="Mend the row or leave it out.")


def _number(value):
    try:
        value = float(value)
    except (TypeError, ValueError):
        return None
    return value if np.isfinite(value) else None


def _whole(value):
    value = _number(value)
    return int(value) if value is not None and value == int(value) else None


def merge_events(found, given):
    """Events per kind: the given ones where the file has that kind, else the found ones.

    found, given  lists of dicts
    Returns       list, and the track_ids of found divisions that the given divisions do not have
    """
    kinds = {event["event"] for event in given}
    doubled = {(e["track_id"]) for e in given if e["event"] in ("division", "death")}
    kept = [e for e in found if e["event"] not in kinds and e["track_id"] not in doubled]
    dropped = []
    if "division" in kinds:
        said = {e["track_id"] for e in given if e["event"] == "division"}
        dropped = sorted(e["track_id"] for e in found if e["event"] == "division" and e["track_id"] not in said)
    return given + kept, dropped


def correct_events(events, corrections, *, extents, frame_after):
    """Apply corrections in the order of their file.

    events       list of dicts; corrections list of dicts: track_id, frame, action, value, file
    extents      {track_id: (set of frames)}
    frame_after  {frame: the movie's next frame}
    Raises       InputDefect naming file and row of a correction that fits no track or frame
    """
    events = list(events)
    for correction in corrections:
        action, track = correction.get("action"), int(correction["track_id"])
        if action not in ACTIONS:
            raise correction_defect(correction, f"The action is {action!r}; expected one of {', '.join(ACTIONS)}.")
        if track not in extents:
            raise correction_defect(correction, f"There is no track {track} in the population {correction.get('population')!r}.")
        own = extents[track]
        frame = correction.get("frame")
        frame = None if frame in (None, "") else int(frame)
        if frame is None and not action.startswith("not_"):
            raise correction_defect(correction, f"The {action} of track {track} has no frame; expected the frame of its beginning.")
        after = frame_after.get(max(own))  # where daughters begin, and so where a person points at a division
        begin = {min(extents[daughter]) for daughter in daughters_of(correction) if daughter in extents}
        if frame is not None and frame not in own and not ("division" in action and frame in {after, *begin}):
            raise correction_defect(correction, f"Track {track} has no cell in frame {frame}; it lives from frame {min(own)} to {max(own)}.")
        kind = action.removeprefix("not_")
        gone = {kind} if action.startswith("not_") else {"division", "death"}
        events = [e for e in events if not (e["track_id"] == track and e["event"] in gone)]
        if action in ("death", "division"):
            events = [e for e in events if not (e["track_id"] == track and e["event"] == "censored")]
            events.append({"track_id": track, "event": kind, "frame": frame, "confidence": 1.0, "source": "manual", "reason": ""})
    return events
