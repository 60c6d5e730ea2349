"""Quality of items, persons and tests: what deserves a look, how sure that is, and what chance would do."""

from toprope.stats.quality.aberrance import ability_jumps, odd_patterns, rapid_answers, rapid_thresholds
from toprope.stats.quality.chance import adjust_p_values
from toprope.stats.quality.dependence import DependentPair, LocalDependence, local_dependence
from toprope.stats.quality.differential import (
    Mantel,
    MantelHaenszel,
    MantelHaenszelStudy,
    mantel,
    mantel_haenszel,
)
from toprope.stats.quality.differential_logistic import LogisticDifference, logistic_differences
from toprope.stats.quality.distractors import Option, OptionAnalysis, OptionFlag, distractor_analysis
from toprope.stats.quality.drift import (
    ItemChange,
    ItemDrift,
    detect_changes,
    exposure_rates,
    item_drift,
    leak_reasons,
)
from toprope.stats.quality.item_fit import (
    ItemFit,
    ItemStatistics,
    SummedScoreFit,
    item_fit,
    item_statistics,
    summed_score_fit,
)
from toprope.stats.quality.person_fit import PersonFit, person_fit, read_person_fit
from toprope.stats.quality.reasons import Reason, ReasonKind
from toprope.stats.quality.reliability import (
    Reliability,
    SplitHalf,
    ability_reliability,
    cronbach_alpha,
    mcdonald_omega,
    split_half,
)
from toprope.stats.quality.scores import bands
from toprope.stats.quality.similarity import like_answers
from toprope.stats.quality.validity import CriterionValidity, area_difference, criterion_validity

__all__ = [
    "CriterionValidity",
    "DependentPair",
    "ItemChange",
    "ItemDrift",
    "ItemFit",
    "ItemStatistics",
    "LocalDependence",
    "LogisticDifference",
    "Mantel",
    "MantelHaenszel",
    "MantelHaenszelStudy",
    "Option",
    "OptionAnalysis",
    "OptionFlag",
    "PersonFit",
    "Reason",
    "ReasonKind",
    "Reliability",
    "SplitHalf",
    "SummedScoreFit",
    "ability_jumps",
    "ability_reliability",
    "adjust_p_values",
    "area_difference",
    "bands",
    "criterion_validity",
    "cronbach_alpha",
    "detect_changes",
    "distractor_analysis",
    "exposure_rates",
    "item_drift",
    "item_fit",
    "item_statistics",
    "leak_reasons",
    "like_answers",
    "local_dependence",
    "logistic_differences",
    "mantel",
    "mantel_haenszel",
    "mcdonald_omega",
    "odd_patterns",
    "person_fit",
    "rapid_answers",
    "rapid_thresholds",
    "read_person_fit",
    "split_half",
    "summed_score_fit",
]
