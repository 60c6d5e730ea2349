"""Measurement as a library of its own: values in, values out, nothing of Toprope's other rooms.

Items and what is known of them, the belief about a person's abilities and how evidence and time move it, which
item to ask next, when certainty is enough, and how good all of it is. NumPy and Numba only. `docs/reference/stats.md`
lists every function; `docs/explanation/measuring.md` says why it is done this way.
"""

from toprope.stats.decisions import (
    CERTAINTY,
    Decision,
    DecisionRule,
    DecisionSummary,
    LearntThreshold,
    decide,
    learn_threshold,
    probability_at_least,
    summarise_decisions,
)
from toprope.stats.distributions import (
    beta_cdf,
    beta_quantile,
    chi_square_sf,
    normal_cdf,
    normal_quantile,
    proportion_interval,
    proportion_upper_bound,
)
from toprope.stats.exposure import guard_items, suspected, watch_item
from toprope.stats.filtering import Fold, Observations, evidence_weight, fold_observations, make_observations
from toprope.stats.items import Items, expected_score, information, make_items, score_probabilities
from toprope.stats.population import Population, population_from_graph
from toprope.stats.raters import RaterCalibration, Severities, estimate_severities
from toprope.stats.responses import Responses, make_responses
from toprope.stats.retention import (
    RetentionProbes,
    StabilityEstimate,
    fit_stability,
    retained_share,
    stability_from_half_life,
)
from toprope.stats.selection import (
    Choice,
    SelectionTable,
    build_table,
    choose_among,
    choose_item,
    decision_point,
    discounted_information,
    start_sitting,
)
from toprope.stats.states import (
    AbilityState,
    Prediction,
    age_state,
    inflate_state,
    lowest_probability,
    predict_ability,
    probability_at_or_above,
    severity_of,
    start_state,
)

__all__ = [
    "CERTAINTY",
    "AbilityState",
    "Choice",
    "Decision",
    "DecisionRule",
    "DecisionSummary",
    "Fold",
    "Items",
    "LearntThreshold",
    "Observations",
    "Population",
    "Prediction",
    "RaterCalibration",
    "Responses",
    "RetentionProbes",
    "SelectionTable",
    "Severities",
    "StabilityEstimate",
    "age_state",
    "beta_cdf",
    "beta_quantile",
    "build_table",
    "chi_square_sf",
    "choose_among",
    "choose_item",
    "decide",
    "decision_point",
    "discounted_information",
    "estimate_severities",
    "evidence_weight",
    "expected_score",
    "fit_stability",
    "fold_observations",
    "guard_items",
    "inflate_state",
    "information",
    "learn_threshold",
    "lowest_probability",
    "make_items",
    "make_observations",
    "make_responses",
    "normal_cdf",
    "normal_quantile",
    "population_from_graph",
    "predict_ability",
    "probability_at_least",
    "probability_at_or_above",
    "proportion_interval",
    "proportion_upper_bound",
    "retained_share",
    "score_probabilities",
    "severity_of",
    "stability_from_half_life",
    "start_sitting",
    "start_state",
    "summarise_decisions",
    "suspected",
    "watch_item",
]
