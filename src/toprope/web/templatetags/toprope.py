"""Small pieces that templates need: icons, states, dates and shares in words."""

from collections.abc import Mapping
from datetime import datetime

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from toprope.competency.api import Framework
from toprope.progression.api import Requirement

register = template.Library()

_LINE = 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'

_ICONS = {
    "done": (
        '<circle cx="12" cy="12" r="10" fill="currentColor"/>'
        '<path d="m7.5 12.5 3 3 6-6.5" fill="none" stroke="var(--paper)" stroke-width="2.25" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    ),
    "missing": f'<circle cx="12" cy="12" r="9" {_LINE}/>',
    "waiting": f'<circle cx="12" cy="12" r="9" {_LINE}/><path d="M12 7v5.5l3.5 2" {_LINE}/>',
    "expired": f'<path d="M4.5 9A8.5 8.5 0 1 1 4 14M4 4v5h5" {_LINE}/>',
    "success": f'<circle cx="12" cy="12" r="9" {_LINE}/><path d="m8 12.5 2.8 2.8L16 9.5" {_LINE}/>',
    "error": f'<circle cx="12" cy="12" r="9" {_LINE}/><path d="M12 7v6M12 16.5v.01" {_LINE}/>',
    "warning": f'<path d="M12 4 3 20h18L12 4ZM12 10v4.5M12 17.2v.01" {_LINE}/>',
    "info": f'<circle cx="12" cy="12" r="9" {_LINE}/><path d="M12 11v6M12 7.5v.01" {_LINE}/>',
    "wrong": f'<circle cx="12" cy="12" r="9" {_LINE}/><path d="m9 9 6 6M15 9l-6 6" {_LINE}/>',
    "menu": f'<path d="M4 7h16M4 12h16M4 17h16" {_LINE}/>',
    "close": f'<path d="m6 6 12 12M18 6 6 18" {_LINE}/>',
    "start": f'<path d="M5 12h14m-6-6 6 6-6 6" {_LINE}/>',
    "mark": (
        '<path d="M5.5 20.5C5.5 13.5 17.5 17 17.5 10.5 17.5 7 14 6.5 14 3" fill="none" '
        'stroke="var(--accent)" stroke-width="2.5" stroke-linecap="round"/>'
        '<circle cx="5.5" cy="20.3" r="2.4" fill="var(--ink)"/>'
        '<circle cx="17.3" cy="11" r="2.4" fill="var(--ink)"/>'
        '<circle cx="14" cy="3.4" r="2.4" fill="var(--ink)"/>'
    ),
}

_STATES = {
    "done": ("done", "Done"),
    "missing": ("missing", "To do"),
    "waiting": ("waiting", "Waiting"),
    "expired": ("expired", "Lapsed"),
    "open": ("success", "Open"),
    "suspended": ("warning", "Suspended"),
    "withdrawn": ("warning", "Withdrawn"),
    "held": ("warning", "On hold"),
    "closed": ("missing", "Not open yet"),
    "next": ("start", "Next"),
    "provisional": ("info", "Provisional"),
    "wrong": ("wrong", "Not right"),
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon; always beside words, so it is hidden from screen readers."""
    shape = mark_safe(_ICONS.get(name, _ICONS["info"]))  # noqa: S308 - constants of this module
    return format_html('<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">{}</svg>', shape)


@register.simple_tag
def state(name: str, words: str = "") -> SafeString:
    """A state as a badge: colour, icon and word."""
    picture, text = _STATES.get(name, ("info", name.capitalize()))
    return format_html('<span class="state {}">{}{}</span>', name, icon(picture), words or text)


@register.filter
def day(moment: datetime | None) -> SafeString | str:
    """A date as people write it."""
    if moment is None:
        return ""
    text = f"{moment.day} {moment:%B %Y}"
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(timespec="seconds"), text)


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """A date with the time of day."""
    if at is None:
        return ""
    text = f"{at.day} {at:%B %Y, %H:%M}"
    return format_html('<time datetime="{}">{}</time>', at.isoformat(timespec="seconds"), text)


@register.filter
def paragraphs(text: str) -> SafeString:
    """Text whose paragraphs are divided by empty lines; single line ends are only how it was typed."""
    blocks = [" ".join(block.split()) for block in text.replace("\r\n", "\n").split("\n\n")]
    return format_html_join("", "<p>{}</p>", ((block,) for block in blocks if block))


@register.filter
def pairs(mapping: Mapping[str, object]) -> list[tuple[str, object]]:
    """A mapping's names and values; ``mapping.items`` would find an entry called "items" first."""
    return list(mapping.items())


@register.filter
def percent(share: float | None) -> str:
    """A share of one, in whole per cent."""
    return "" if share is None else f"{share:.0%}"


@register.filter
def certainty(probability: float) -> str:
    """A probability in whole per cent, that never claims to be sure."""
    if probability > 0.99:
        return "over 99%"
    return "under 1%" if probability < 0.01 else f"{probability:.0%}"


@register.filter
def logits(value: float, digits: int = 1) -> str:
    """An ability with a sign, a true minus where it is below zero."""
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


@register.filter
def spaced(word: str) -> str:
    """A pack's identifier in plain words: ``working_copy`` reads "working copy"."""
    return str(word).replace("_", " ").replace("-", " ")


@register.simple_tag
def supervision(level: str, framework: Framework) -> str:
    """A supervision level with its name: "S4 Sampled"."""
    name = framework.supervision.get(level, "").partition(":")[0]
    return f"{level} {name}".strip()


@register.simple_tag
def supervision_text(level: str, framework: Framework) -> str:
    """What a supervision level means."""
    text = framework.supervision.get(level, "")
    return text.partition(":")[2].strip() or text


@register.simple_tag
def authority(key: str, framework: Framework) -> str:
    """Who decides on a rung, in words."""
    return framework.authorities.get(key, spaced(key).capitalize())


_LIMITS = {
    "context": "The tool may see",
    "write": "It may write to",
    "network": "Network",
    "commands": "Commands it may run",
    "data": "Classes of data",
    "tiers": "Tiers of repositories",
}


@register.simple_tag
def limit(name: str) -> str:
    """The name of one of a rung's limits."""
    return _LIMITS.get(name, spaced(name).capitalize())


@register.filter
def words(value: object) -> str:
    """A limit's value: one word of the pack, or several, in plain words."""
    if isinstance(value, list | tuple):
        return ", ".join(spaced(str(each)) for each in value) or "none"
    return spaced(str(value))


@register.filter
def holds_step(requirement: Requirement, step: str) -> bool:
    """Whether a part of this requirement is the step in question."""
    return bool(step) and any(part.step == step for part in requirement.parts)
