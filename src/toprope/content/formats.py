"""What items and lessons look like in a pack. Pure. Practicals and the policy have checks of their own."""

from toprope.competency.api import shapes

_TEXT = shapes.Text()
_LANGUAGE = shapes.Text(20, r"[a-z0-9+#-]+", "a language in small letters, such as 'python'")
_LEVEL = shapes.Whole(1, 4)
_CODE = shapes.Text(20_000)

RUNNABLE = ("python", "javascript", "bash")
"""Languages in which a pack's code can be checked by running it."""

_VERIFY = shapes.cases(
    "kind",
    {},
    calc=shapes.Entry({"program": _CODE, "expect": _TEXT}),
    output=shapes.Entry({"expect": _TEXT}),
    flaw=shapes.Entry(
        {"check": _CODE},
        {
            "prelude": _CODE,
            "fixed": _CODE,
            "check_fixed": _CODE,
            "same_result": shapes.Flag(),
            "run_code": shapes.Flag(),
        },
    ),
    fix=shapes.Entry({}),
    static=shapes.Entry({"why": _TEXT}),
)

_OPTION = shapes.Entry(
    {"id": shapes.Text(8), "text": _TEXT, "misconception": shapes.Either(_TEXT, shapes.Nothing())}
)
_OPTIONS = shapes.ListOf(_OPTION, 3, 8)

_ITEM = shapes.cases(
    "type",
    {
        "id": shapes.Key("item"),
        "competency": shapes.Ref("competency"),
        "level": _LEVEL,
        "stem": shapes.Text(4_000),
        "answer": shapes.Text(16),
        "rationale": shapes.Text(2_000),
        "source": shapes.ListOf(shapes.Ref("source"), 1, 20),
    },
    mcq=shapes.Entry(
        {"options": _OPTIONS},
        {"critical": shapes.Flag(), "lang": _LANGUAGE, "code": _CODE, "verify": _VERIFY},
    ),
    flaw=shapes.Entry(
        {"options": _OPTIONS, "lang": _LANGUAGE, "code": _CODE, "verify": _VERIFY},
        {"critical": shapes.Flag()},
    ),
    fix=shapes.Entry(
        {
            "lang": shapes.Word(RUNNABLE),
            "starter": _CODE,
            "tests": _CODE,
            "solution": _CODE,
            "hints": shapes.texts(1),
            "verify": _VERIFY,
        },
        {"critical": shapes.Flag(), "ai_off": shapes.Flag()},
    ),
)

ITEMS = shapes.Entry(
    {
        "schema": shapes.schema("items"),
        "domain": shapes.Ref("domain"),
        "items": shapes.ListOf(_ITEM, 1, 2_000),
    }
)

_LESSON = shapes.Entry(
    {
        "id": shapes.Key("lesson"),
        "title": shapes.Text(120),
        "competency": shapes.Ref("competency"),
        "level": _LEVEL,
        "minutes": shapes.Whole(1, 600),
        "objectives": shapes.texts(1),
        "outline": shapes.ListOf(shapes.Entry({"min": shapes.Whole(1, 600), "do": _TEXT}), 1, 50),
        "practice": _TEXT,
        "check_items": shapes.ListOf(shapes.Ref("item"), 1),
        "misconceptions": shapes.texts(1),
        "transfer": _TEXT,
        "sources": shapes.ListOf(shapes.Ref("source"), 1),
    }
)

LESSONS = shapes.Entry(
    {
        "schema": shapes.schema("lessons"),
        "pattern": shapes.Text(2_000),
        "lessons": shapes.ListOf(_LESSON, 1, 2_000),
    }
)
