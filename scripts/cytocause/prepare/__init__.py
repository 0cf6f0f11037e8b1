"""prepare: is the input what it says, and how bright, sharp and still is it?

    metadata.py   pixel size and times: sheet against file
    intensity.py  movie-wide limits and background, from a streamed histogram
    drift.py      shift of the image from frame to frame
    quality.py    per-frame numbers and flags
    survey.py     one pass over the pixels that feeds the three above
    extent.py     the same facts for samples that come without a movie
    figure.py     the quality figure

Rooms downstream read the result, `movie.json`.
"""
