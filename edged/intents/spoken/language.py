"""What the code must know about each language: one entry a language, and nothing about a language stands elsewhere.

A new language is a new entry of `LANGUAGES`. All words are written as `normalize_text` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

Unit: TypeAlias = Literal["percent", "degrees", "celsius", "fahrenheit", "kelvin", "seconds", "minutes"]


LEVELS: Final = ("0", "50", "100")
"""The percents that every language has names for: the minimum, a half and the maximum."""


@dataclass(frozen=True, slots=True)
class Cardinals:
    """The parts of the whole numbers up to ten thousand, for a language that num2words lacks."""

    small: tuple[str, ...]
    """0 to 19."""
    tens: tuple[str, ...]
    """20 to 90."""
    hundreds: tuple[str, ...]
    """100 to 900."""
    hundred_and: str
    """100 before something more."""
    thousand: str
    thousands: str
    """After the number of thousands, from two."""
    counting_thousands: Mapping[int, str]
    """Numbers that are said otherwise before `thousands`."""


@dataclass(frozen=True, slots=True)
class NumberWords:
    """How a language says numbers."""

    cardinals: str | Cardinals | None = None
    """The language's name in num2words, or its parts."""
    point: tuple[str, ...] = ()
    """Between the whole part and the decimals."""
    minus: tuple[str, ...] = ()
    half: tuple[str, ...] = ()
    """What is put behind the whole part for a half more, with its blank where it is a word of its own."""
    halved: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The last word of a whole number -> the words in its place for a half more."""
    silent: tuple[str, ...] = ()
    """Words inside a number that some people leave out."""
    hundreds: str = ""
    """What is put behind a number of hundreds above nine: twenty-seven hundred."""
    variants: tuple[tuple[str, str], ...] = ()
    """Regular expressions and what may be said in place of what they match, anywhere in a number."""
    inflections: tuple[Mapping[str, str], ...] = ()
    """A gender, case or style each: the usual word -> the word in it."""
    spoken: Mapping[float, tuple[str, ...]] = field(default_factory=dict)
    """Further ways to say a number."""
    bound: frozenset[str] = frozenset()
    """Number words that are something else as well, such as articles: they say a number before a unit or a fraction
    alone and, if they are its usual word, at the end of the utterance, where no noun follows."""
    counters: tuple[str, ...] = ()
    """What may follow a number without a blank."""
    thousands_sign: str = ""
    """Between digits, before the last three."""


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """One language; equal to itself alone, so that what is made from it can be cached."""

    tag: str
    """As in intent files; any tag with its primary subtag finds it."""
    numbers: NumberWords = field(default_factory=NumberWords)
    units: Mapping[Unit, tuple[str, ...]] = field(default_factory=dict)
    """Unit -> its words, the one that is written for its sign first."""
    signs: Mapping[str, str] = field(default_factory=dict)
    """Sign -> words, where they are not those of the unit."""
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Percents that have names (see `LEVELS`) -> the names."""
    skippable: frozenset[tuple[str, ...]] = frozenset()
    """Articles, politeness and fillers: phrases, in words, without which an order means the same. A number, a name or a
    longer phrase that has such a word in it is to be looked for before the word is left out."""
    conjunctions: frozenset[tuple[str, ...]] = frozenset()
    """What joins two orders."""
    contractions: Mapping[str, str] = field(default_factory=dict)
    """A preposition with its article, or its form before some sounds -> the preposition; for comparison alone."""
    orders: Mapping[str, str] = field(default_factory=dict)
    """A form of a verb that gives an order -> the one that stands for all, both folded; for comparison alone."""
    asides: tuple[str, ...] = ()
    """Words that people put into any order, for the recogniser: without its own place in the grammar such a word is
    heard as one that means something (of "... 파란색으로 다 바꿔 줘", 다 was heard as 더, "more")."""
    is_glued: bool = False
    """Particles are glued to words, and blanks are as people please."""
    particles: tuple[str, ...] = ()
    """What may follow a name of one syllable; without one of them it is the start of another word."""
    endings: tuple[str, ...] = ("'s", "s")
    """What a name may end in or not."""
    folds: Mapping[int, str | int] = field(default_factory=dict)
    """Letters that people type otherwise -> what stands for both where words are compared, never where words are
    written: speech models know words as they are spelled."""

    def fold(self, word: str) -> str:
        """Gives a word as it is compared; a word of one letter keeps its accent, which tells it from another word."""
        word = self.contractions.get(word, word)
        if len(word) == 1:
            return word
        folded = word.translate(self.folds)
        return self.orders.get(folded, self.contractions.get(folded, folded))

    def stem(self, word: str) -> str:
        """Gives a word of a name as it is compared: folded, without an ending."""
        folded = self.fold(word)
        return next((folded.removesuffix(ending) for ending in self.endings if folded.endswith(ending)), folded)


def _in_turn(usual: str, others: str) -> dict[str, str]:
    return dict(zip(usual.split(), others.split(), strict=True))


def _forms(text: str) -> dict[str, str]:
    groups = [group.split() for group in text.split(",")]
    return {form: usual for usual, *forms in groups for form in forms}


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _phrases(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(phrase.split()) for phrase in text.split(","))


_ENGLISH: Final = Language(
    tag="en",
    numbers=NumberWords(
        cardinals="en",
        point=("point",),
        minus=("minus", "negative"),
        half=(" and a half",),
        silent=("and",),
        hundreds=" hundred",
        variants=((r"^one (?=hundred|thousand)", "a "),),
        spoken={0.5: ("half a",)},
        counters=("k", "c", "f", "s"),
        thousands_sign=",",
    ),
    units={
        "percent": ("percent", "per cent"),
        "degrees": ("degrees", "degree"),
        "celsius": ("celsius", "centigrade"),
        "fahrenheit": ("fahrenheit",),
        "kelvin": ("kelvin", "kelvins"),
        "seconds": ("seconds", "second"),
        "minutes": ("minutes", "minute"),
    },
    levels={"0": ("minimum",), "50": ("half", "halfway"), "100": ("maximum", "max", "full", "fully")},
    skippable=_phrases(
        "the, a, an, please, kindly, could you, can you, would you, will you, could you please, can you please,"
        "would you please, i want you to, i would like you to, i'd like you to, go ahead and, for me, just, about,"
        "thanks, thank you, now, right now, hey, hello, okay, ok, um, uh, er"
    ),
    conjunctions=_phrases("and then, and also, and, then, also, plus"),
    asides=("please", "now", "just", "um", "uh"),
)

_KOREAN: Final = Language(
    tag="ko",
    numbers=NumberWords(
        cardinals="ko",
        point=("점",),
        minus=("영하", "마이너스"),
        half=(" 반", " 도 반"),
        spoken={0: ("공",)},
        bound=frozenset({"이"}),
        counters=("도", "퍼센트", "프로", "초", "분", "켈빈", "단계", "으로", "로", "만큼", "까지"),
        thousands_sign=",",
    ),
    units={
        "percent": ("퍼센트", "프로"),
        "degrees": ("도",),
        "celsius": ("섭씨",),
        "fahrenheit": ("화씨",),
        "kelvin": ("켈빈",),
        "seconds": ("초",),
        "minutes": ("분",),
    },
    signs={"°c": "도", "c": "도"},
    levels={"0": ("최소",), "50": ("절반", "반"), "100": ("최대",)},
    skippable=_phrases("좀, 제발, 그냥, 저기, 음, 어, 부탁해, 부탁해요, 고마워"),
    conjunctions=_phrases("그리고 나서, 그런 다음에, 그런 다음, 그 다음에, 그리고"),
    asides=("다", "좀", "음", "어"),
    is_glued=True,
    particles=("으로", "로", "을", "를", "이", "가", "은", "는", "에", "의", "만", "만큼", "까지", "쯤", "정도"),
    endings=(),
)

_GERMAN: Final = Language(
    tag="de",
    numbers=NumberWords(
        cardinals="de",
        point=("komma", "punkt"),
        minus=("minus",),
        half=("einhalb", " und ein halb", " und ein halbes", " und eine halbe", " und einen halben"),
        halved={"eins": ("eineinhalb", "anderthalb")},
        hundreds="hundert",
        variants=((r"ein(?=hundert|tausend)", ""), (r"^zwei(?=$|und)", "zwo"), (r"hundert(?=\w)", "hundertund")),
        spoken={
            0.5: ("ein halb", "ein halbes", "ein halber", "einen halben", "einem halben", "eine halbe", "einer halben"),
            1: ("ein", "eine", "einen", "einem", "einer"),
        },
        bound=frozenset({"ein", "eine", "einen", "einem", "einer"}),
        thousands_sign=".",
    ),
    units={
        "percent": ("prozent",),
        "degrees": ("grad",),
        "celsius": ("celsius",),
        "fahrenheit": ("fahrenheit",),
        "kelvin": ("kelvin",),
        "seconds": ("sekunden", "sekunde"),
        "minutes": ("minuten", "minute"),
    },
    levels={
        "0": ("minimum", "minimal"),
        "50": ("hälfte", "halb", "halbe"),
        "100": ("maximum", "maximal", "voll", "volle"),
    },
    skippable=_phrases(  # "ein" is left out: in "schalte das Licht ein" it means "on"
        "der, die, das, den, dem, des, eine, einen, einem, einer, eines, bitte, bitte mal, mal, doch, einfach,"
        "kannst du, könntest du, würdest du, kannst du bitte, könntest du bitte, würdest du bitte, können sie,"
        "könnten sie, für mich, mir, etwa, ungefähr, circa, danke, hey, hallo, okay, ok, jetzt, gerade, äh, ähm"
    ),
    conjunctions=_phrases("und dann, und danach, und auch, und, dann, danach, sowie"),
    contractions=_in_turn("im ins am ans zum zur beim vom aufs fürs übers", "in in an an zu zu bei von auf für über"),
    orders=_in_turn(
        "mache schalte stelle drehe dimme fahre ziehe schliesse setze heize senke erhoehe aktiviere knipse loesche",
        "mach schalt stell dreh dimm fahr zieh schliess setz heiz senk erhoeh aktivier knips loesch",
    ),
    asides=("bitte", "mal", "jetzt", "äh", "ähm"),
    endings=("s",),
    folds={ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss"},
)

_PORTUGUESE: Final = Language(
    tag="pt-BR",
    numbers=NumberWords(
        cardinals="pt_BR",
        point=("vírgula", "ponto"),
        minus=("menos",),
        half=(" e meio", " e meia"),
        silent=("e",),
        variants=((r"\bcatorze\b", "quatorze"),),
        inflections=(
            _in_turn(
                "um dois duzentos trezentos quatrocentos quinhentos seiscentos setecentos oitocentos novecentos",
                "uma duas duzentas trezentas quatrocentas quinhentas seiscentas setecentas oitocentas novecentas",
            ),
        ),
        spoken={0.5: ("meio", "meia")},
        bound=frozenset({"um", "uma", "meio", "meia"}),
        thousands_sign=".",
    ),
    units={
        "percent": ("por cento",),
        "degrees": ("graus", "grau"),
        "celsius": ("celsius", "centígrados"),
        "fahrenheit": ("fahrenheit",),
        "kelvin": ("kelvin", "kelvins"),
        "seconds": ("segundos", "segundo"),
        "minutes": ("minutos", "minuto"),
    },
    levels={"0": ("mínimo", "mínima"), "50": ("metade",), "100": ("máximo", "máxima")},
    skippable=_phrases(
        "o, a, os, as, um, uma, por favor, por gentileza, faz favor, você pode, você poderia, pode, poderia, dá para,"
        "dá pra, para mim, pra mim, me, mais ou menos, cerca de, obrigado, obrigada, oi, olá, ei, então, agora, hum"
    ),
    conjunctions=_phrases("e depois, e também, e então, e aí, e, depois, também"),
    contractions=_in_turn(
        "no na nos nas num numa do da dos das pelo pela pelos pelas pro pra pros pras tá tô",
        "em em em em em em de de de de por por por por para para para para está estou",
    ),
    orders=_forms(
        "liga ligue ligar, desliga desligue desligar, acende acenda acender, apaga apague apagar,"
        "coloca coloque colocar, poe ponha, bota bote botar, ajusta ajuste ajustar, deixa deixe deixar,"
        "muda mude mudar, aumenta aumente aumentar, diminui diminua diminuir, abaixa abaixe abaixar,"
        "sobe suba subir, desce desca descer, levanta levante levantar, abre abra abrir, fecha feche fechar,"
        "ativa ative ativar, inicia inicie iniciar, comeca comece comecar, esquenta esquente esquentar,"
        "aquece aqueca aquecer, esfria esfrie esfriar, regula regule regular, clareia clareie clarear"
    ),
    asides=("por", "favor", "agora", "hum"),
    endings=("s",),
    folds=str.maketrans("áàâãéêíóôõúüç", "aaaaeeiooouuc"),
)

_POLISH: Final = Language(
    tag="pl",
    numbers=NumberWords(
        cardinals="pl",
        point=("przecinek", "kropka"),
        minus=("minus",),
        half=(" i pół",),
        inflections=(
            _in_turn(
                "jeden dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć jedenaście dwanaście trzynaście"
                " czternaście piętnaście szesnaście siedemnaście osiemnaście dziewiętnaście dwadzieścia trzydzieści"
                " czterdzieści pięćdziesiąt sześćdziesiąt siedemdziesiąt osiemdziesiąt dziewięćdziesiąt sto dwieście"
                " trzysta czterysta pięćset sześćset siedemset osiemset dziewięćset tysiąc tysiące",
                "jednego dwóch trzech czterech pięciu sześciu siedmiu ośmiu dziewięciu dziesięciu jedenastu dwunastu"
                " trzynastu czternastu piętnastu szesnastu siedemnastu osiemnastu dziewiętnastu dwudziestu trzydziestu"
                " czterdziestu pięćdziesięciu sześćdziesięciu siedemdziesięciu osiemdziesięciu dziewięćdziesięciu stu"
                " dwustu trzystu czterystu pięciuset sześciuset siedmiuset ośmiuset dziewięciuset tysiąca tysięcy",
            ),
            _in_turn("jeden dwa", "jedna dwie"),
            _in_turn("jeden", "jedną"),
            _in_turn("jeden", "jedno"),
            _in_turn("jeden", "jednej"),
        ),
        spoken={0.5: ("pół",), 1.5: ("półtora", "półtorej")},
        bound=frozenset({"pół"}),
    ),
    units={
        "percent": ("procent", "procenta", "procentów"),
        "degrees": ("stopni", "stopnie", "stopień", "stopnia"),
        "celsius": ("celsjusza",),
        "fahrenheit": ("fahrenheita",),
        "kelvin": ("kelwinów", "kelwiny", "kelwin", "kelwina"),
        "seconds": ("sekund", "sekundy", "sekundę", "sekunda"),
        "minutes": ("minut", "minuty", "minutę", "minuta"),
    },
    levels={
        "0": ("minimum", "minimalnie", "minimalna", "minimalną"),
        "50": ("połowa", "połowę", "połowy", "na pół"),
        "100": ("maksimum", "maksymalnie", "maksymalna", "maksymalną", "maksa", "pełna", "pełną"),
    },
    skippable=_phrases(
        "proszę, proszę cię, poproszę, możesz, czy możesz, mógłbyś, czy mógłbyś, mogłabyś, czy mogłabyś, mi,"
        "dla mnie, po prostu, około, mniej więcej, dzięki, dziękuję, hej, cześć, okej, ok, teraz, yyy"
    ),
    conjunctions=_phrases("a potem, i potem, a następnie, a także, i też, i, oraz, potem, następnie"),
    contractions={"we": "w", "ze": "z"},
    orders=_forms(
        "włącz włączyć włączaj, wyłącz wyłączyć wyłączaj, zapal zapalić zapalaj, zaświeć zaświecić, zgaś zgasić,"
        "pogaś pogasić, ustaw ustawić, nastaw nastawić, zmień zmienić, rozjaśnij rozjaśnić, przyciemnij przyciemnić,"
        "ściemnij ściemnić, przygaś przygasić, podkręć podkręcić, przykręć przykręcić, skręć skręcić,"
        "zwiększ zwiększyć, zmniejsz zmniejszyć, podnieś podnieść, obniż obniżyć, podwyższ podwyższyć,"
        "otwórz otworzyć, zamknij zamknąć, opuść opuścić, odsłoń odsłonić, zasłoń zasłonić, zasuń zasunąć,"
        "rozsuń rozsunąć, zatrzymaj zatrzymać, uruchom uruchomić, przyspiesz przyspieszyć, zwolnij zwolnić,"
        "zrób zrobić, ogrzej ogrzać"
    ),
    asides=("proszę", "teraz", "no"),
    endings=(),
)

_GREEK: Final = Language(
    tag="el",
    numbers=NumberWords(
        cardinals=Cardinals(
            small=_words(
                "μηδέν ένα δύο τρία τέσσερα πέντε έξι επτά οκτώ εννέα δέκα έντεκα δώδεκα δεκατρία δεκατέσσερα δεκαπέντε"
                " δεκαέξι δεκαεπτά δεκαοκτώ δεκαεννέα"
            ),
            tens=_words("είκοσι τριάντα σαράντα πενήντα εξήντα εβδομήντα ογδόντα ενενήντα"),
            hundreds=_words("εκατό διακόσια τριακόσια τετρακόσια πεντακόσια εξακόσια επτακόσια οκτακόσια εννιακόσια"),
            hundred_and="εκατόν",
            thousand="χίλια",
            thousands="χιλιάδες",
            counting_thousands={3: "τρεις", 4: "τέσσερις"},
        ),
        point=("κόμμα", "τελεία"),
        minus=("μείον", "πλην"),
        half=(" και μισό", " και μισή", " και μισός"),
        halved={
            "ένα": ("ενάμισι", "ενάμιση", "μιάμιση"),
            "δύο": ("δυόμισι", "δυόμιση"),
            "τρία": ("τρεισήμισι", "τρεισήμιση"),
            "τέσσερα": ("τεσσερισήμισι", "τεσσερισήμιση"),
            "πέντε": ("πεντέμισι", "πεντέμιση"),
            "έξι": ("εξίμισι", "εξίμιση"),
            "επτά": ("εφτάμισι", "επτάμισι", "εφτάμιση", "επτάμιση"),
            "οκτώ": ("οχτώμισι", "οκτώμισι", "οχτώμιση", "οκτώμιση"),
            "εννέα": ("εννιάμισι", "εννιάμιση"),
            "δέκα": ("δεκάμισι", "δεκάμιση"),
            "έντεκα": ("εντεκάμισι", "εντεκάμιση"),
            "δώδεκα": ("δωδεκάμισι", "δωδεκάμιση"),
            "δεκατρία": ("δεκατρεισήμισι", "δεκατρεισήμιση"),
            "δεκατέσσερα": ("δεκατεσσερισήμισι", "δεκατεσσερισήμιση"),
            "δεκαπέντε": ("δεκαπεντέμισι", "δεκαπεντέμιση"),
            "δεκαέξι": ("δεκαεξίμισι", "δεκαξίμισι", "δεκαεξίμιση"),
            "δεκαεπτά": ("δεκαεφτάμισι", "δεκαεπτάμισι", "δεκαεφτάμιση"),
            "δεκαοκτώ": ("δεκαοχτώμισι", "δεκαοκτώμισι", "δεκαοχτώμιση"),
            "δεκαεννέα": ("δεκαεννιάμισι", "δεκαεννιάμιση"),
            "είκοσι": ("εικοσάμισι", "εικοσάμιση"),
        },
        inflections=(
            _in_turn(
                "επτά οκτώ εννέα δεκαέξι δεκαεπτά δεκαοκτώ δεκαεννέα επτακόσια οκτακόσια εννιακόσια εκατόν",
                "εφτά οχτώ εννιά δεκάξι δεκαεφτά δεκαοχτώ δεκαεννιά εφτακόσια οχτακόσια εννεακόσια εκατό",
            ),
            _in_turn(
                "ένα τρία τέσσερα δεκατρία δεκατέσσερα διακόσια τριακόσια τετρακόσια πεντακόσια εξακόσια επτακόσια"
                " οκτακόσια εννιακόσια χίλια",
                "έναν τρεις τέσσερις δεκατρείς δεκατέσσερις διακόσιους τριακόσιους τετρακόσιους πεντακόσιους εξακόσιους"
                " επτακόσιους οκτακόσιους εννιακόσιους χίλιους",
            ),
            _in_turn(
                "ένα τρία τέσσερα δεκατρία δεκατέσσερα διακόσια τριακόσια τετρακόσια πεντακόσια εξακόσια επτακόσια"
                " οκτακόσια εννιακόσια χίλια",
                "μία τρεις τέσσερις δεκατρείς δεκατέσσερις διακόσιες τριακόσιες τετρακόσιες πεντακόσιες εξακόσιες"
                " επτακόσιες οκτακόσιες εννιακόσιες χίλιες",
            ),
        ),
        spoken={0.5: ("μισό", "μισή")},
        bound=frozenset({"ένα", "έναν", "μία", "μια", "μισό", "μισή"}),
        thousands_sign=".",
    ),
    units={
        "percent": ("τοις εκατό", "τα εκατό"),
        "degrees": ("βαθμούς", "βαθμοί", "βαθμό", "βαθμός", "βαθμών"),
        "celsius": ("κελσίου",),
        "fahrenheit": ("φαρενάιτ",),
        "kelvin": ("κέλβιν",),
        "seconds": ("δευτερόλεπτα", "δευτερόλεπτο"),
        "minutes": ("λεπτά", "λεπτό"),
    },
    levels={
        "0": ("ελάχιστο", "ελάχιστη"),
        "50": ("μισό", "μισή", "μισά", "στη μέση"),
        "100": ("μέγιστο", "μέγιστη", "φουλ"),
    },
    skippable=_phrases(
        "ο, η, το, οι, τα, τον, την, τη, του, της, των, τους, τις, ένα, έναν, μια, μία, παρακαλώ, σε παρακαλώ,"
        "σας παρακαλώ, μπορείς να, μπορείτε να, θα μπορούσες να, θα μπορούσατε να, μου, λοιπόν, περίπου,"
        "ευχαριστώ, γεια, γεια σου, εντάξει, τώρα, εμ"
    ),
    conjunctions=_phrases("και μετά, και ύστερα, και έπειτα, και επίσης, και, κι, μετά, ύστερα, έπειτα"),
    contractions=dict.fromkeys(_words("στο στη στην στον στα στις στους στουσ στισ"), "σε"),
    orders=_forms(
        "αναψε αναψτε αναψεισ αναψετε, σβησε σβηστε σβησεισ σβησετε, ανοιξε ανοιξτε ανοιξεισ ανοιξετε,"
        "κλεισε κλειστε κλεισεισ κλεισετε, βαλε βαλτε βαλεισ βαλετε, ρυθμισε ρυθμιστε ρυθμισεισ ρυθμισετε,"
        "κανε καντε κανεισ, χαμηλωσε χαμηλωστε χαμηλωσεισ, δυναμωσε δυναμωστε δυναμωσεισ,"
        "αυξησε αυξηστε αυξησεισ, μειωσε μειωστε μειωσεισ, ανεβασε ανεβαστε ανεβασεισ,"
        "κατεβασε κατεβαστε κατεβασεισ, σηκωσε σηκωστε σηκωσεισ, αλλαξε αλλαξτε αλλαξεισ,"
        "ζεστανε ζεστανετε ζεστανεισ, σταματα σταματησε σταματηστε σταματησεισ, ξεκινα ξεκινησε ξεκινηστε ξεκινησεισ,"
        "ενεργοποιησε ενεργοποιηστε ενεργοποιησεισ"
    ),
    asides=("παρακαλώ", "τώρα", "λοιπόν"),
    endings=(),
    folds=str.maketrans("άέήίόύώϊϋΐΰς", "αεηιουωιυιυσ"),
)


def _either_spelling(language: Language) -> Language:
    """With its phrases as they are written and as they are compared."""

    def folded(phrases: frozenset[tuple[str, ...]]) -> frozenset[tuple[str, ...]]:
        return phrases | {tuple(map(language.fold, phrase)) for phrase in phrases}

    return replace(language, skippable=folded(language.skippable), conjunctions=folded(language.conjunctions))


LANGUAGES: Final[Mapping[str, Language]] = {
    language.tag: _either_spelling(language) for language in (_ENGLISH, _KOREAN, _GERMAN, _PORTUGUESE, _POLISH, _GREEK)
}
"""By tag."""

_BY_PRIMARY: Final = {tag.split("-")[0]: language for tag, language in LANGUAGES.items()}
_ANY_OTHER: Final = Language(tag="")


def language_of(lang: str) -> Language:
    """The entry of a language tag by its primary subtag; one that knows no words where there is none."""
    return _BY_PRIMARY.get(lang.split("-")[0].lower(), _ANY_OTHER)
