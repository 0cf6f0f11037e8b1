"""One population of one sample against its truth: masks, links, divisions, deaths."""

from cytocause.score.events import event_counts
from cytocause.score.lineage import Lineage
from cytocause.score.linking import division_counts, link_counts, track_of_truth
from cytocause.score.masks import compare_frames


def score_population(frames, truth_tracks, tracks, truth_events, events, cfg, frame_interval_min):
    """Counts of every row that the tables allow.

    Parameters
    ----------
    frames : iterator of (frame number, true labels (Y, X), found labels (Y, X))
    truth_tracks, tracks : tables with track_id, parent_id, frame, label
    truth_events, events : tables with track_id, event, time_min
    cfg : the section score
    frame_interval_min : float or None; None leaves only the tolerance in minutes for deaths

    Returns
    -------
    rows : dict "segment" | "link" | "division" | "death" -> counts
    onset_errors_min : float array of the deaths that were hit, found minus true
    """
    mask_counts, nodes = compare_frames(frames, cfg["iou_threshold"])
    truth, found = Lineage.of_table(truth_tracks), Lineage.of_table(tracks)
    tolerance_min = max(cfg["death_tolerance_min"], cfg["death_tolerance_frames"] * (frame_interval_min or 0.0))
    true_deaths = truth_events[truth_events["event"] == "death"]
    deaths = events[events["event"] == "death"]
    death, errors = event_counts(
        true_deaths["track_id"],
        true_deaths["time_min"],
        deaths["track_id"],
        deaths["time_min"],
        track_of_truth(truth, found, nodes),
        tolerance_min,
    )
    rows = {
        "segment": mask_counts,
        "link": link_counts(truth, found, nodes),
        "division": division_counts(truth, found, nodes, cfg["division_tolerance_frames"]),
        "death": death,
    }
    return rows, errors
