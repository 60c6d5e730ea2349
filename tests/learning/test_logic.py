"""Drawing questions, giving feedback, and choosing the next step."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from tests.pack_keys import items_by_stem

from toprope.learning.logic import Answered, Question, draw_items, give_feedback, sum_up

ITEMS = sorted(items_by_stem().values(), key=lambda item: item.key)
PLAYABLE = [item for item in ITEMS if item.options]
keys = st.lists(st.text("abcdef", min_size=1, max_size=4), unique=True, max_size=12)


@given(keys, st.integers(1, 15), st.integers(0, 2**64))
def test_a_draw_takes_what_is_asked_or_all_there_is_and_is_told_again_by_its_seed(pool, asked, seed):
    plan = draw_items(pool, asked, 0.75, {}, UUID(int=seed))
    assert len(plan.items) == min(asked, len(pool))
    assert set(plan.items) <= set(pool)
    assert len(set(plan.items)) == len(plan.items)
    assert plan == draw_items(list(reversed(pool)), asked, 0.75, {}, UUID(int=seed))
    assert (plan.asked, plan.pool) == (asked, len(pool))


@given(st.integers(0, 2**64))
def test_what_was_seen_least_comes_first(seed):
    plan = draw_items(["a", "b", "c", "d"], 2, 0.75, {"a": 2, "b": 1}, UUID(int=seed))
    assert set(plan.items) == {"c", "d"}


def test_feedback_names_the_misconception_behind_the_chosen_distractor():
    for item in PLAYABLE:
        for option in item.options:
            feedback = give_feedback(item, option.id, [])
            assert feedback.success == (option.id == item.answer)
            assert feedback.misconception == option.misconception
            assert bool(feedback.misconception) != feedback.success
            assert feedback.right == item.option(item.answer).text


def test_a_sitting_is_summed_up_with_its_critical_misses():
    critical = next(item for item in PLAYABLE if item.critical)
    other = next(item for item in PLAYABLE if not item.critical)

    def question(item, right):
        choice = item.answer if right else next(o.id for o in item.options if o.id != item.answer)
        return Question(item, Answered(choice, (), give_feedback(item, choice, []), UUID(int=1)))

    assert sum_up([question(critical, True), question(other, False)]) == (0.5, 0)
    assert sum_up([question(critical, False), question(other, True)]) == (0.5, 1)
