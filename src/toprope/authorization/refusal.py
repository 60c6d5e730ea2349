"""The one way an action of this stage says no to a person."""


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """What was asked is not allowed; the message tells the person why, and what would be."""
