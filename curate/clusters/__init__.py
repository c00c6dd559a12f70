"""Clusters of the documents by their embeddings, named by their most typical words."""

from curate.clusters.clusters import Clusters, fit

__all__ = ["Clusters", "fit"]
