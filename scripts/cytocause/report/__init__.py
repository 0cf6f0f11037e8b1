"""Report: films of masks and tracks, and one page that says what was found and how far it can be trusted.

    overlay.py   one frame with outlines, tails, marks        film.py     frames -> H.264
    evidence.py  what the table says about an edge            permutation.py  exact p of a condition over chips
    sentences.py plain words                                  charts.py, graph.py, svg.py  figures
    page.py      everything -> template.py -> one HTML file
"""
