"""Separating sets that the final graph itself can explain. Source: spec section 4.6, 6.3."""


def consistent_graph(graph, once, restart, settings, warnings):
    """Repeat the search until its separating sets fit the graph they lead to."""
    raise NotImplementedError
