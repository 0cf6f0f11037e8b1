# Which files the levels of the ablation chain read and make.
LEVELS = ("masks", "tracks", "fates", "variables")
MADE_AT = {  # at which level the tables of a level are made
    "tracks": {"masks": "masks", "tracks": "tracks", "fates": "tracks", "variables": "tracks"},
    "cells": {"masks": "masks", "tracks": "tracks", "fates": "tracks", "variables": "variables"},
    "events": {"masks": "masks", "tracks": "tracks", "fates": "fates", "variables": "fates"},
}
TRUTH = "results/ablation/truth/{sample}/{population}"


def made(table, file=None):
    """Input function: a table of the wildcards' level (or another file that its stage writes)."""
    return lambda wildcards: _made(table, file, wildcards, wildcards.population)


def made_for(table, file, populations):
    """Input function: the same for several populations, by a function from the wildcards to their names."""
    return lambda wildcards: [_made(table, file, wildcards, name) for name in populations(wildcards)]


def _made(table, file, wildcards, population):
    level = MADE_AT[table][wildcards.level]
    return f"results/ablation/{level}/{wildcards.sample}/{population}/{file or f'{table}.parquet'}"


def all_made(table, file=None):
    """Input function: the same for all simulated samples and all populations."""

    def find(wildcards):
        level = MADE_AT[table][wildcards.level]
        return per_population(
            f"results/ablation/{level}/{{sample}}/{{population}}/{file or f'{table}.parquet'}", simulated()
        )

    return find


def true_at(level, file):
    """Input function: a file of the truth for one level, [] for the others."""
    return lambda wildcards: [f"{TRUTH}/{file}".format(**wildcards)] if wildcards.level == level else []


def units():
    """The chips of the simulated samples, in the sheet's order."""
    return list(dict.fromkeys(chips_of(simulated()).values()))


def chips_left_out():
    """Chips that are left out one by one for the intervals: all of at least three where intervals are wanted, else none."""
    return units() if config["score"]["ablation_intervals"] and len(units()) >= 3 else []


def table_of(wildcards, file):
    """A file of assemble at a level; `found` is the chain as it ran."""
    return f"results/assemble/{file}" if wildcards.level == "found" else f"results/ablation/{wildcards.level}/{file}"


def graphs(wildcards):
    """Graphs of the whole chain and of each level; then, where intervals are wanted, of each again without one chip after another."""
    if not simulated():
        raise WorkflowError(
            "ablation: no sample of the sheet is simulated, so there is no truth to put in the place of a result."
        )
    if len(simulated()) < len(SAMPLES):
        raise WorkflowError(
            "ablation: the sheet has samples that are not simulated; one graph is learnt from all, so nothing can be swapped for part of them. "
            "Give the simulated samples a sheet of their own."
        )
    found = ["results/infer/graph.json", *(f"results/ablation/{level}/graph.json" for level in LEVELS)]
    return found + [
        f"results/ablation/{level}/without_{k}/graph.json"
        for level in ("found", *LEVELS)
        for k in range(len(chips_left_out()))
    ]
