"""What must hold between the parts of a framework, beyond each part's shape. Pure.

They read documents whose shapes fit and whose references lead somewhere; the survey sees to that first.
"""

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from toprope.competency.logic import Competency, Framework
from toprope.competency.parsing import FOLDER, parse_framework
from toprope.competency.problems import Document, Problem, Where, repeated

ITEMS = "auto_items"
Documents = Mapping[str, Document]


def check_rules(documents: Documents) -> Iterator[Problem]:
    """Everything in these documents that breaks a rule of frameworks."""
    framework = parse_framework({path: document.value for path, document in documents.items()})
    yield from _check_scales(documents["framework.yaml"])
    for path, document in documents.items():
        if path.startswith(FOLDER):
            yield from _check_competencies(document, documents["framework.yaml"].value)
    yield from _check_prerequisites(documents, framework)
    yield from _check_ladder(documents["ladder.yaml"], framework)
    yield from _check_roles(documents["roles.yaml"], framework)
    yield from _check_rubrics(documents["rubrics.yaml"])
    yield from _check_programs(documents["programs.yaml"])


def find_cycle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """The nodes of a circle in a graph, with the first one again at the end; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        nodes: list[str] = error.args[1]
        return nodes[::-1]
    return []


def closure_gaps(
    levels: Mapping[str, int], competencies: Mapping[str, Competency]
) -> Iterator[tuple[str, str]]:
    """Levels that a set of competency levels implies but does not hold, as (competency, what it needs)."""
    for key, level in levels.items():
        for needed in competencies[key].prerequisites:
            if level >= needed.before and levels.get(needed.competency, 0) < needed.level:
                yield key, f"{needed.competency} at {needed.level}"


def _check_scales(document: Document) -> Iterator[Problem]:
    for field, highest in (("levels", 4), ("supervision_scale", 5)):
        for number, entry in enumerate(document.value[field]):
            if entry["level"] != number + 1:
                message = f"'{field}' are levels 1 to {highest} in this order; here stands {entry['level']}."
                yield document.problem((field, number, "level"), message, f"Write level: {number + 1}.")
            if field == "supervision_scale" and entry["id"] != f"S{entry['level']}":
                message = f"Supervision level {entry['level']} is called '{entry['id']}'."
                yield document.problem((field, number, "id"), message, f"Write S{entry['level']}.")


def _check_competencies(document: Document, main: Mapping[str, Any]) -> Iterator[Problem]:
    domain = document.value["domain"]
    human = {kind["id"] for kind in main["evidence_kinds"] if "human" in kind["scored_by"]}
    for number, competency in enumerate(document.value["competencies"]):
        where: Where = ("competencies", number)
        if not competency["id"].startswith(f"{domain}-"):
            message = f"The competency '{competency['id']}' stands in the file of the domain {domain}."
            cure = f"Begin its id with '{domain}-', or move it to its domain's file."
            yield document.problem((*where, "id"), message, cure)
        for index, level in enumerate(competency["levels"]):
            yield from _check_level(document, (*where, "levels", index), level, index + 1, human)


def _check_level(
    document: Document, where: Where, level: Mapping[str, Any], expected: int, human: set[str]
) -> Iterator[Problem]:
    if level["level"] != expected:
        message = f"A competency has levels 1 to 4 in this order; here stands {level['level']}."
        yield document.problem((*where, "level"), message, f"Write level: {expected}.")
    kinds = {rule["kind"] for rule in level["evidence"]}
    if expected >= 2 and kinds == {ITEMS}:
        message = f"Level {expected} rests on multiple choice alone."
        cure = "From level 2 add another kind of evidence, such as flaw_hunt or work_note."
        yield document.problem((*where, "evidence"), message, cure)
    if expected >= 3 and not kinds & human:
        message = f"No evidence for level {expected} is rated by a person."
        cure = f"From level 3 add one of: {', '.join(sorted(human))}."
        yield document.problem((*where, "evidence"), message, cure)
    for number, target in enumerate(level["targets"]):
        if not {"min", "max", "trend"} & set(target):
            message = f"The target for {target['metric']} says no value."
            yield document.problem((*where, "targets", number), message, "Add min, max or trend.")


def _check_prerequisites(documents: Documents, framework: Framework) -> Iterator[Problem]:
    places = {
        entry["id"]: (document, ("competencies", number, "prerequisites"))
        for path, document in documents.items()
        if path.startswith(FOLDER)
        for number, entry in enumerate(document.value["competencies"])
    }
    graph = {c.key: [p.competency for p in c.prerequisites] for c in framework.competencies.values()}
    if cycle := find_cycle(graph):
        document, where = places[cycle[0]]
        message = f"Prerequisites go in a circle: {' needs '.join(cycle)}."
        yield document.problem(
            (*where, graph[cycle[0]].index(cycle[1])), message, "Remove one of these steps."
        )
    for competency in framework.competencies.values():
        for number, needed in enumerate(competency.prerequisites):
            if needed.level > needed.before:
                document, where = places[competency.key]
                needs = f"{needed.competency} at {needed.level} before its own level {needed.before}"
                message = f"{competency.key} needs {needs}."
                cure = "Check that a higher level is meant."
                yield document.warning((*where, number, "level"), message, cure)


def _check_ladder(document: Document, framework: Framework) -> Iterator[Problem]:
    graph = {rung.key: rung.after for rung in framework.rungs.values()}
    places = {entry["id"]: number for number, entry in enumerate(document.value["rungs"])}
    if cycle := find_cycle(graph):
        where = ("rungs", places[cycle[0]], "after")
        yield document.problem(where, f"Rungs go in a circle: {' after '.join(cycle)}.", "Remove one step.")
        return
    for key, rung in framework.rungs.items():
        asked: Where = ("rungs", places[key], "requires", "competencies")
        for competency, needs in closure_gaps(rung.competencies, framework.competencies):
            message = f"{key} asks for {competency} at {rung.competencies[competency]}, which needs {needs}."
            yield document.problem((*asked, competency), message, f"Ask for {needs} too, or for less.")
        for earlier in rung.after:
            for competency, level in framework.rungs[earlier].competencies.items():
                if rung.competencies.get(competency, 0) < level:
                    message = f"{key} asks for less of {competency} than {earlier}, which comes before it."
                    yield document.problem((*asked, competency), message, f"Ask for {competency} at {level}.")
        yield from _check_requirements(
            document, ("rungs", places[key], "requires", "validation"), framework, key
        )
        yield from _check_tiers(document, ("rungs", places[key]))


def _check_requirements(
    document: Document, where: Where, framework: Framework, key: str
) -> Iterator[Problem]:
    for number, rule in enumerate(framework.rungs[key].validations):
        if rule["type"] == "practical_exam":
            levels = framework.rubrics[rule["rubric"]]["levels"]
            if rule["level"] not in levels:
                message = f"{rule['rubric']} has no level {rule['level']}."
                cure = f"Write one of: {', '.join(map(str, levels))}; or add the level to the rubric."
                yield document.problem((*where, number, "level"), message, cure)
        if rule["type"] == "recency" and rule["rung"] not in _before(key, framework):
            message = f"{key} asks for recent use of {rule['rung']}, which does not come before it."
            cure = f"Name a rung before {key}, or put {rule['rung']} before it with 'after'."
            yield document.problem((*where, number, "rung"), message, cure)


def _check_tiers(document: Document, where: Where) -> Iterator[Problem]:
    rung = document.value["rungs"][where[1]]
    for tier in rung["limits"]["tiers"]:
        if tier not in rung["supervision"]["by_tier"]:
            message = f"{rung['id']} is open in tier {tier}, and no supervision is named for it."
            yield document.problem((*where, "supervision", "by_tier"), message, f"Add {tier} to by_tier.")


def _before(key: str, framework: Framework) -> set[str]:
    """All rungs that come before this one."""
    found: set[str] = set()
    waiting = list(framework.rungs[key].after)
    while waiting:
        rung = waiting.pop()
        if rung not in found:
            found.add(rung)
            waiting += framework.rungs[rung].after
    return found


def _check_roles(document: Document, framework: Framework) -> Iterator[Problem]:
    for number, role in enumerate(framework.roles.values()):
        where: Where = ("roles", number)
        missing = [key for key in framework.competencies if key not in role.targets]
        if missing:
            message = f"{role.key} says nothing on {', '.join(missing)}."
            cure = "Add each with target and weight; write target: 0, weight: 0 where nothing is expected."
            yield document.problem((*where, "competencies"), message, cure)
            continue
        for key, target in role.targets.items():
            if (target.target == 0) != (target.weight == 0):
                message = f"For {key} {role.key} has target {target.target} and weight {target.weight}."
                cure = "Write 0 for both, or for neither."
                yield document.problem((*where, "competencies", key), message, cure)
        profile = {key: target.target for key, target in role.targets.items()}
        for key, needs in closure_gaps(profile, framework.competencies):
            message = f"{role.key} is to reach {key} at {profile[key]}, which needs {needs}."
            yield document.problem((*where, "competencies", key), message, f"Raise the target to {needs}.")
        yield from _check_reach(document, where, profile, framework)


def _check_reach(
    document: Document, where: Where, profile: Mapping[str, int], framework: Framework
) -> Iterator[Problem]:
    role = document.value["roles"][where[1]]
    reached = {
        key
        for key, rung in framework.rungs.items()
        if all(profile.get(competency, 0) >= level for competency, level in rung.competencies.items())
    }
    named: list[tuple[Where, str]] = [((*where, "ceiling", "rung"), role["ceiling"]["rung"])]
    if "also" in role["ceiling"]:
        named.append(((*where, "ceiling", "also"), role["ceiling"]["also"]))
    named += [((*where, "milestones", n, "rung"), m["rung"]) for n, m in enumerate(role["milestones"])]
    for place, rung in named:
        if rung not in reached:
            short = [
                f"{competency} at {level}"
                for competency, level in framework.rungs[rung].competencies.items()
                if profile.get(competency, 0) < level
            ]
            message = f"{role['id']} cannot reach {rung} with its targets."
            yield document.problem(
                place, message, f"Raise the targets to {', '.join(short)}; or name another rung."
            )
    order = list(framework.rungs)
    above = order[order.index(role["ceiling"]["rung"]) + 1 :]
    extra = [rung for rung in above if rung in reached and rung != role["ceiling"].get("also")]
    if extra:
        message = f"The targets of {role['id']} would reach {', '.join(extra)} too, above its ceiling."
        cure = "Lower a target, or raise the ceiling."
        yield document.warning((*where, "ceiling"), message, cure)


def _check_rubrics(document: Document) -> Iterator[Problem]:
    for number, rubric in enumerate(document.value["assessments"]):
        where: Where = ("assessments", number, "criteria")
        ids = [(*where, index, "id") for index in range(len(rubric["criteria"]))]
        yield from repeated(document, ids, "criterion")
        total = sum(criterion["weight"] for criterion in rubric["criteria"])
        if total != 100:
            message = f"The weights of {rubric['id']} add up to {total}."
            yield document.problem(where, message, "Make them add up to 100.")


def _check_programs(document: Document) -> Iterator[Problem]:
    for number, program in enumerate(document.value["programs"]):
        phases: list[Where] = [("programs", number, "phases", n) for n in range(len(program["phases"]))]
        yield from repeated(document, [(*phase, "id") for phase in phases], "phase")
        steps: list[Where] = [
            (*phase, "checklist", n, "id")
            for phase in phases
            for n in range(len(document.at((*phase, "checklist"))))
        ]
        yield from repeated(document, steps, "step of this programme")
        for phase in phases:
            first, last = document.at((*phase, "weeks"))
            if first > last:
                message = f"The phase ends in week {last}, before it begins in week {first}."
                yield document.problem((*phase, "weeks"), message, "Write the earlier week first.")
