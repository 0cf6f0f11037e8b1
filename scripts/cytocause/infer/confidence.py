"""Would the edge still be there if one of its columns were shuffled?

    confidence = e^-I'(X;Y|U) / mean over shuffles of e^-I'(X;shuffled Y)        small: hardly by chance

Shuffle b of a variable is the same permutation for all its edges. Source: spec section 4.5.
"""

import numpy as np


def confidences(graph, book, n_shuffles, threshold, progress):
    """Confidence of each connected edge; those above the threshold are disconnected."""
    edges = [edge for edge in graph.edges.values() if edge.connected]
    batch = 8
    for at in range(0, len(edges), batch):
        part = edges[at : at + batch]
        values = book.shuffled([(edge.x, edge.y) for edge in part], n_shuffles)
        means = np.exp(-np.maximum(values, 0.0)).mean(axis=1)
        for edge, mean in zip(part, means.tolist()):
            edge.confidence = float(np.exp(-edge.shifted_given)) / mean
        progress("shuffled edges", min(at + batch, len(edges)), len(edges))
    for edge in edges:
        if edge.confidence > threshold:
            graph.connect(edge, False)
