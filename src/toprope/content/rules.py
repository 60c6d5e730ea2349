"""What must hold in a pack's content, and between content and framework, beyond each part's shape. Pure.

These rules read documents whose shapes fit and whose references lead somewhere.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from toprope.competency.api import Document, Problem, Where, parse_document, repeated, suggest
from toprope.content.formats import RUNNABLE

Documents = Mapping[str, Document]
Place = tuple[Document, Where]

MIN_ITEMS = 2
"""Items a competency needs at least, so that a second try is not the same question."""

_CUE_POOL = 20  # with fewer items, where their keys stand is chance
_CUE_RATIO = 1.45


def check_content(documents: Documents, files: Mapping[str, bytes]) -> Iterator[Problem]:
    """Everything in these documents that breaks a rule of content; `files` are all of the pack's."""
    competencies = {place[0].at(place[1])["id"]: place for place in _entries(documents, "competencies")}
    items = {place[0].at(place[1])["id"]: place for place in _entries(documents, "items")}
    for document, where in items.values():
        yield from _check_item(document, where)
    yield from _check_cues(list(items.values()))
    yield from _check_lessons(documents["lessons.yaml"], items)
    yield from _check_coverage(documents, competencies)
    yield from _check_fixtures(documents, files)
    yield from _check_practicals(documents)
    yield from _check_scenarios(documents)


def _entries(documents: Documents, folder: str) -> Iterator[Place]:
    """Where the entries stand that a folder's documents list."""
    for path, document in documents.items():
        if path.startswith(f"{folder}/"):
            for number in range(len(document.value[folder])):
                yield document, (folder, number)


def _check_item(document: Document, where: Where) -> Iterator[Problem]:
    item = document.at(where)
    domain = document.value["domain"]
    if not item["competency"].startswith(f"{domain}-"):
        message = f"The item is about {item['competency']}, in the file of the domain {domain}."
        yield document.problem((*where, "competency"), message, "Move the item to its domain's file.")
    if item["type"] == "fix":
        if item["answer"] != "solution":
            message = f"The answer of a fix is {item['answer']!r}."
            yield document.problem((*where, "answer"), message, "Write answer: solution.")
    else:
        yield from _check_options(document, where, item)
    if "verify" in item:
        yield from _check_verify(document, where, item)


def _check_options(document: Document, where: Where, item: Mapping[str, Any]) -> Iterator[Problem]:
    places: list[Where] = [(*where, "options", number) for number in range(len(item["options"]))]
    yield from repeated(document, [(*place, "id") for place in places], "option")
    yield from repeated(document, [(*place, "text") for place in places], "option's text")
    ids = [option["id"] for option in item["options"]]
    if item["answer"] not in ids:
        message = f"The answer '{item['answer']}' is no option."
        yield document.problem((*where, "answer"), message, suggest(item["answer"], ids))
        return
    for place, option in zip(places, item["options"], strict=True):
        if option["id"] == item["answer"] and option["misconception"] is not None:
            message = f"Option '{option['id']}' is the answer and has a misconception."
            cure = "Write misconception: null there, or correct the answer."
            yield document.problem((*place, "misconception"), message, cure)
        elif option["id"] != item["answer"] and option["misconception"] is None:
            message = f"Option '{option['id']}' is wrong and names no misconception."
            yield document.problem((*place, "misconception"), message, "Say what choosing it shows.")


def _check_verify(document: Document, where: Where, item: Mapping[str, Any]) -> Iterator[Problem]:
    verify, place = item["verify"], (*where, "verify")
    fitting = {"mcq": ("calc", "output", "static"), "flaw": ("flaw", "static"), "fix": ("fix",)}[item["type"]]
    if verify["kind"] not in fitting:
        message = f"Code of the type '{item['type']}' cannot be verified by '{verify['kind']}'."
        yield document.problem((*place, "kind"), message, suggest(verify["kind"], fitting))
        return
    if ("fixed" in verify) != ("check_fixed" in verify):
        message = "'fixed' and 'check_fixed' go together."
        yield document.problem(place, message, "Add the other one, or remove both.")
    if verify["kind"] == "output" and "code" not in item:
        yield document.problem(where, "There is no code whose output could be compared.", "Add 'code'.")
    if verify["kind"] in ("output", "flaw") and item.get("lang") not in RUNNABLE:
        message = f"Code in {item.get('lang', 'no language')} cannot be run here."
        cure = f"Write lang: one of {', '.join(RUNNABLE)}; or verify {{kind: static, why: ...}}."
        yield document.problem((*where, "lang"), message, cure)


def _check_cues(items: list[Place]) -> Iterator[Problem]:
    """Whether length or position gives the key away: one by one, and over the whole pack."""
    positions: Counter[int] = Counter()
    longest = chosen = 0
    for document, where in items:
        item = document.at(where)
        ids = [option["id"] for option in item.get("options", ())]
        if item["answer"] not in ids:
            continue
        lengths = [len(option["text"]) for option in item["options"]]
        key = ids.index(item["answer"])
        chosen += 1
        positions[key] += 1
        longest += lengths[key] == max(lengths)
        ratio = lengths[key] * len(lengths) / sum(lengths)
        if ratio > _CUE_RATIO:
            message = f"The key is {ratio:.2f} times as long as the options are on average."
            cure = "Shorten the key, or lengthen the distractors."
            yield document.warning((*where, "options", key), message, cure)
    if chosen < _CUE_POOL:
        return
    document = items[0][0]
    if not 0.15 <= longest / chosen <= 0.5:
        message = (
            f"The key is the longest option in {longest} of {chosen} items; by chance it would be a third."
        )
        yield document.warning(("items",), message, "Even out the lengths of the options.")
    for position in range(3):
        share = positions[position] / chosen
        if not 0.15 <= share <= 0.5:
            message = f"The key is option {position + 1} in {positions[position]} of {chosen} items."
            yield document.warning(("items",), message, "Spread the keys evenly over the positions.")


def _check_lessons(document: Document, items: Mapping[str, Place]) -> Iterator[Problem]:
    for number, lesson in enumerate(document.value["lessons"]):
        where: Where = ("lessons", number)
        total = sum(step["min"] for step in lesson["outline"])
        if total != lesson["minutes"]:
            message = f"The outline takes {total} minutes, the lesson {lesson['minutes']}."
            yield document.problem((*where, "minutes"), message, "Make the steps add up to the minutes.")
        for index, key in enumerate(lesson["check_items"]):
            other = items[key][0].at(items[key][1])["competency"]
            if other != lesson["competency"]:
                message = f"The item '{key}' is about {other}, the lesson about {lesson['competency']}."
                cure = "Choose an item on the lesson's competency."
                yield document.warning((*where, "check_items", index), message, cure)


def _check_coverage(documents: Documents, competencies: Mapping[str, Place]) -> Iterator[Problem]:
    items = Counter(place[0].at(place[1])["competency"] for place in _entries(documents, "items"))
    taught = {lesson["competency"] for lesson in documents["lessons.yaml"].value["lessons"]}
    for key, (document, where) in competencies.items():
        if items[key] < MIN_ITEMS:
            message = f"{key} has {items[key]} of the {MIN_ITEMS} items that it needs."
            cure = f"Write {MIN_ITEMS - items[key]} more in the items file of its domain."
            yield document.problem(where, message, cure)
        if key not in taught:
            message = f"{key} has no lesson."
            yield document.problem(where, message, "Write one in lessons.yaml.")


def _check_fixtures(documents: Documents, files: Mapping[str, bytes]) -> Iterator[Problem]:
    rubrics = documents["rubrics.yaml"]
    for number, rubric in enumerate(rubrics.value["assessments"]):
        where: Where = ("assessments", number, "fixture")
        path = PurePosixPath(rubric["fixture"])
        if path.is_absolute() or ".." in path.parts or "\\" in rubric["fixture"]:
            message = f"The fixture '{path}' lies outside the pack."
            yield rubrics.problem(where, message, "Write a path within the pack, such as fixtures/case.yaml.")
        elif str(path) not in files:
            message = f"There is no file '{path}' in the pack."
            yield rubrics.problem(where, message, suggest(str(path), files))
        elif path.suffix == ".yaml" and str(path) not in documents:
            document, problems = parse_document(str(path), files[str(path)])
            yield from problems
            if document and isinstance(document.value, dict):
                yield from _check_context_exercise(document)


def _check_context_exercise(document: Document) -> Iterator[Problem]:
    """The selection that an exercise in choosing context gives as best must fit its own budget and score."""
    if document.value.get("schema") != "toprope.context-exercise/1":
        return
    try:
        exercise = document.value
        chosen = [item for item in exercise["items"] if item["id"] in exercise["reference_selection"]]
        missing = set(exercise["reference_selection"]) - {item["id"] for item in chosen}
        tokens = sum(item["tokens"] for item in chosen)
        points = sum(exercise["auto_score"][item["key"]]["points_each"] for item in chosen)
        budget, full = exercise["budget_tokens"], exercise["auto_score"]["full_marks"]
        fits = tokens <= budget
    except (AttributeError, KeyError, TypeError) as error:
        message = f"The exercise cannot be scored ({type(error).__name__}: {error})."
        cure = "Give it items (id, tokens, key), budget_tokens, auto_score and reference_selection."
        yield document.problem((), message, cure)
        return
    where: Where = ("reference_selection",)
    if missing:
        message = f"The selection names {', '.join(sorted(map(str, missing)))}, which is no item."
        yield document.problem(where, message, "Name items by their id.")
    if not fits:
        message = f"The selection has {tokens:,} tokens, the budget {budget:,}."
        yield document.problem(where, message, "Choose less, or raise budget_tokens.")
    if points != full:
        message = f"The selection scores {points}, full marks are {full}."
        yield document.problem(where, message, "Correct full_marks, or the selection.")


def _check_practicals(documents: Documents) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for path, document in documents.items():
        if path.startswith("practicals/"):
            key = document.value["key"]
            if key in first:
                message = f"The practical '{key}' stands also in {first[key]}."
                yield document.problem(("key",), message, "Give one of the two another key.")
            first.setdefault(key, path)


def _check_scenarios(documents: Documents) -> Iterator[Problem]:
    """Rungs that ask for a scenario open only if the pack has a practical of that name, as demanding."""
    ladder = documents["ladder.yaml"]
    marks = {
        document.value["key"]: document.value["pass_mark"]
        for path, document in documents.items()
        if path.startswith("practicals/")
    }
    for number, rung in enumerate(ladder.value["rungs"]):
        for index, rule in enumerate(rung["requires"]["validation"]):
            where: Where = ("rungs", number, "requires", "validation", index)
            if rule["type"] == "scenario" and rule["id"] not in marks:
                message = (
                    f"{rung['id']} asks for '{rule['id']}', which the pack does not have: it cannot open."
                )
                yield ladder.warning((*where, "id"), message, f"Add practicals/{rule['id']}.yaml.")
            elif rule["type"] == "scenario" and marks[rule["id"]] < rule["pass"]:
                message = f"{rung['id']} asks for {rule['pass']:g}, and '{rule['id']}' is passed at less."
                yield ladder.warning((*where, "pass"), message, f"Set its pass_mark to {rule['pass']:g}.")
