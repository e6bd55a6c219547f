"""How each language says that something is to be done later: one table a language, used by its entry in `language`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

HOUR_S: Final = 3600
MINUTE_S: Final = 60
SECOND_S: Final = 1


@dataclass(frozen=True, slots=True)
class DelayWords:
    """The words of delays; empty for a language that knows none."""

    frames: tuple[tuple[str, str], ...] = ()
    """What stands before and behind the amount, either of them empty; the first is what is written."""
    units: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Seconds -> the words for one, for two to four and for more, as they are written; then those that are read too."""
    ones: tuple[str, ...] = ()
    """Words that are one before a unit, beside the number words."""
    counts: tuple[str, ...] = ()
    """1, 2, 3 ... as they are said before a unit, where the number words are others."""
    fixed: Mapping[str, int] = field(default_factory=dict)
    """Amounts that are no number and unit -> seconds."""
    joins: tuple[str, ...] = ()
    """What may stand between hours and minutes."""
    is_one_unsaid: bool = False
    """A unit alone is one of it."""
    paces: frozenset[str] = frozenset()
    """What, before seconds, may as well say how long a change takes: "in zehn Sekunden auf 20 Prozent dimmen"."""
    not_behind: frozenset[str] = frozenset()
    """Words behind which a phrase says something else: within so long."""
    none: str = ""
    """What is answered where no timer runs."""


ENGLISH: Final = DelayWords(
    frames=(("in", ""), ("after", ""), ("", "from now"), ("in", "time")),
    units={
        HOUR_S: ("hour", "hours", "hours", "hours'", "hour's"),
        MINUTE_S: ("minute", "minutes", "minutes", "minutes'", "minute's"),
        SECOND_S: ("second", "seconds", "seconds", "seconds'"),
    },
    ones=("a", "an"),
    fixed={
        "half an hour": 1800,
        "half hour": 1800,
        "a half hour": 1800,
        "a quarter of an hour": 900,
        "quarter of an hour": 900,
        "three quarters of an hour": 2700,
    },
    joins=("and",),
    none="no timer is set",
)

KOREAN: Final = DelayWords(
    frames=(("", "뒤에"), ("", "후에"), ("", "뒤"), ("", "후"), ("", "있다가"), ("", "이따가")),
    units={HOUR_S: ("시간",), MINUTE_S: ("분",), SECOND_S: ("초",)},
    counts=(
        *(
            "한",
            "두",
            "세",
            "네",
            "다섯",
            "여섯",
            "일곱",
            "여덟",
            "아홉",
            "열",
            "열한",
            "열두",
            "열세",
            "열네",
            "열다섯",
        ),
        *("열여섯", "열일곱", "열여덟", "열아홉", "스무", "스물한", "스물두", "스물세", "스물네"),
    ),
    fixed={"반 시간": 1800},
    none="설정된 타이머가 없어요",
)

GERMAN: Final = DelayWords(
    frames=(("in", ""), ("nach", "")),
    units={
        HOUR_S: ("Stunde", "Stunden", "Stunden"),
        MINUTE_S: ("Minute", "Minuten", "Minuten"),
        SECOND_S: ("Sekunde", "Sekunden", "Sekunden"),
    },
    fixed={
        "einer viertelstunde": 900,
        "einer dreiviertelstunde": 2700,
        "einer dreiviertel stunde": 2700,
        "einer viertel stunde": 900,
    },
    joins=("und",),
    paces=frozenset({"in"}),
    none="kein Timer läuft",
)

PORTUGUESE: Final = DelayWords(
    frames=(("daqui a", ""), ("em", ""), ("daqui", ""), ("dentro de", ""), ("depois de", ""), ("após", "")),
    units={
        HOUR_S: ("hora", "horas", "horas"),
        MINUTE_S: ("minuto", "minutos", "minutos"),
        SECOND_S: ("segundo", "segundos", "segundos"),
    },
    fixed={"um quarto de hora": 900, "três quartos de hora": 2700},
    joins=("e",),
    paces=frozenset({"em"}),
    none="nenhum temporizador ativo",
)

POLISH: Final = DelayWords(
    frames=(("za", ""), ("po", "")),
    units={
        HOUR_S: ("godzinę", "godziny", "godzin", "godzinie", "godzinach"),
        MINUTE_S: ("minutę", "minuty", "minut", "minucie", "minutach"),
        SECOND_S: ("sekundę", "sekundy", "sekund", "sekundzie", "sekundach"),
    },
    fixed={"kwadrans": 900},
    joins=("i",),
    is_one_unsaid=True,
    none="żaden minutnik nie jest ustawiony",
)

GREEK: Final = DelayWords(
    frames=(("σε", ""), ("μετά από", ""), ("ύστερα από", ""), ("έπειτα από", "")),
    units={
        HOUR_S: ("ώρα", "ώρες", "ώρες"),
        MINUTE_S: ("λεπτό", "λεπτά", "λεπτά"),
        SECOND_S: ("δευτερόλεπτο", "δευτερόλεπτα", "δευτερόλεπτα"),
    },
    fixed={"ένα τέταρτο": 900, "τρία τέταρτα": 2700, "μισάωρο": 1800, "ένα μισάωρο": 1800},
    joins=("και",),
    paces=frozenset({"σε"}),
    not_behind=frozenset({"μέσα"}),
    none="δεν έχει οριστεί χρονόμετρο",
)
