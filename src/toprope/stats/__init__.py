"""Estimation, as a library of its own: values in, values out, nothing of Toprope's other rooms."""

from toprope.stats.ability import Belief, ItemParameters, cut_score, probability_right, update_belief

__all__ = ["Belief", "ItemParameters", "cut_score", "probability_right", "update_belief"]
