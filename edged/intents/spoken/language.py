"""What the code must know about each language: one entry a language, and nothing about a language stands elsewhere.

A new language is a new entry of `LANGUAGES`. All words are written as `normalize_text` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from edged.intents.spoken.delay_words import ENGLISH, GERMAN, GREEK, KOREAN, POLISH, PORTUGUESE
from edged.intents.spoken.entry import Cardinals, Language, NumberWords

LEVELS: Final = ("0", "50", "100")
"""The percents that every language has names for: the minimum, a half and the maximum."""

TOLD: Final = ("on", "off", "open", "close", "unknown", "offline", "heat", "cool", "idle", "auto")
"""What devices tell of themselves in one word, for which every language has one."""


def _in_turn(usual: str, others: str) -> dict[str, str]:
    return dict(zip(usual.split(), others.split(), strict=True))


def _forms(text: str) -> dict[str, str]:
    groups = [group.split() for group in text.split(",")]
    return {form: usual for usual, *forms in groups for form in forms}


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _phrases(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(phrase.split()) for phrase in text.split(","))


def _told(words: str) -> dict[str, str]:
    return dict(zip(TOLD, words.split(", "), strict=True))


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
        heard={1.5: ("a degree and a half",)},
        half_thousands=(" thousand",),
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
    corrections=_phrases("no, sorry, pardon, i mean, i meant, or rather, actually, scratch that, oops, oh wait"),
    denials=_phrases("and no, but no, with no, there is no, there's no, no one, no more, no light, no lights"),
    before_hour=_phrases("half past, quarter past, quarter to"),
    behind_hour=_phrases("o'clock, am, pm, a m, p m, in the morning, in the afternoon, in the evening, at night"),
    delays=ENGLISH,
    asides=("please", "now", "just", "um", "uh"),
    told=_told("on, off, open, closed, unknown, offline, heating, cooling, idle, auto"),
)

_KOREAN: Final = Language(
    tag="ko",
    numbers=NumberWords(
        cardinals="ko",
        point=("점",),
        minus=("영하", "마이너스"),
        half=(" 반", " 도 반"),
        spoken={0: ("공",)},
        heard={0.5: ("반 도",)},
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
    corrections=_phrases("아니, 아니다, 아니야, 아니요, 아니지, 아니라, 아니고, 말고, 미안, 미안해, 죄송해요, 아차"),
    denials=_phrases("그리고 아니, 아니 다"),
    behind_hour=_phrases("시에, 시쯤, 시까지, 시부터, 시정각"),
    delays=KOREAN,
    asides=("다", "좀", "음", "어"),
    is_glued=True,
    particles=("으로", "로", "을", "를", "이", "가", "은", "는", "에", "의", "만", "만큼", "까지", "쯤", "정도"),
    endings=(),
    told=_told("켜짐, 꺼짐, 열림, 닫힘, 알 수 없음, 연결 안 됨, 난방, 냉방, 대기, 자동"),
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
        half_thousands=("tausend",),
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
    corrections=_phrases(
        "nein, nee, quatsch, sorry, entschuldigung, verzeihung, pardon, ich meine, ich meinte, vielmehr, besser gesagt,"
        "korrektur"
    ),
    denials=_phrases("und nein, aber nein"),
    before_hour=_phrases("halb, viertel vor, viertel nach, dreiviertel"),
    behind_hour=_phrases("uhr, morgens, vormittags, mittags, nachmittags, abends, nachts"),
    delays=GERMAN,
    contractions=_in_turn("im ins am ans zum zur beim vom aufs fürs übers", "in in an an zu zu bei von auf für über"),
    orders=_in_turn(
        "mache schalte stelle drehe dimme fahre ziehe schliesse setze heize senke erhoehe aktiviere knipse loesche",
        "mach schalt stell dreh dimm fahr zieh schliess setz heiz senk erhoeh aktivier knips loesch",
    ),
    asides=("bitte", "mal", "jetzt", "äh", "ähm"),
    endings=("s",),
    folds={ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss"},
    told=_told("an, aus, offen, geschlossen, unbekannt, nicht erreichbar, heizt, kühlt, in ruhe, automatisch"),
    decimal_sign=",",
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
    corrections=_phrases(
        "não, digo, quer dizer, quis dizer, aliás, opa, ou melhor, melhor dizendo, desculpa, desculpe, perdão"
    ),
    denials=_phrases(  # an order stands for all its forms
        "e não, mas não, se não, não só, não é, não está, não tem, não quero, não mexe, não precisa, não liga,"
        "não desliga, não acende, não apaga, não coloca, não põe, não bota, não ajusta, não deixa, não muda,"
        "não aumenta, não diminui, não abaixa, não sobe, não desce, não abre, não fecha"
    ),
    before_hour=_phrases("às"),
    behind_hour=_phrases("horas, hora, da manhã, da tarde, da noite, da madrugada, em ponto"),
    delays=PORTUGUESE,
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
    told=_told(
        "ligado, desligado, aberto, fechado, desconhecido, fora do ar, aquecendo, resfriando, em espera, automático"
    ),
    decimal_sign=",",
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
        half_thousands=(" tysiąca",),
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
    corrections=_phrases(
        "nie, przepraszam, sorry, to znaczy, znaczy, raczej, oj, ups, pomyłka, miałem na myśli, miałam na myśli"
    ),
    denials=_phrases(
        "a nie, ale nie, i nie, nie tylko, nie ma, nie chcę, nie rób, nie ruszaj, nie włącz, nie wyłącz, nie zapal,"
        "nie gaś, nie ustawiaj, nie zmieniaj, nie zwiększaj, nie zmniejszaj, nie otwieraj, nie zamykaj"
    ),
    before_hour=_phrases("o godzinie, na godzinę, godzina"),
    behind_hour=_phrases("rano, po południu, wieczorem, w nocy"),
    delays=POLISH,
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
    told=_told(
        "włączone, wyłączone, otwarte, zamknięte, nieznane, niedostępne, grzeje, chłodzi, w spoczynku, automatycznie"
    ),
    decimal_sign=",",
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
        half_thousands=(" χιλιάδες",),
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
    corrections=_phrases(
        "όχι, συγγνώμη, συγνώμη, εννοώ, εννοούσα, ή μάλλον, μάλλον, ήθελα να πω, θέλω να πω, ουπς, λάθος, διόρθωση"
    ),
    denials=_phrases("και όχι, κι όχι, αλλά όχι, όχι μόνο, όχι πια"),
    before_hour=_phrases("στις"),
    behind_hour=_phrases("η ώρα, το πρωί, το μεσημέρι, το απόγευμα, το βράδυ, τη νύχτα"),
    delays=GREEK,
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
    told=_told("αναμμένο, σβηστό, ανοιχτό, κλειστό, άγνωστο, εκτός σύνδεσης, θερμαίνει, ψύχει, σε αναμονή, αυτόματα"),
    decimal_sign=",",
)


def _either_spelling(language: Language) -> Language:
    """With its phrases as they are written and as they are compared."""

    def folded(phrases: frozenset[tuple[str, ...]]) -> frozenset[tuple[str, ...]]:
        return phrases | {tuple(map(language.fold, phrase)) for phrase in phrases}

    return replace(
        language,
        skippable=folded(language.skippable),
        conjunctions=folded(language.conjunctions),
        corrections=folded(language.corrections),
        denials=folded(language.denials),
    )


LANGUAGES: Final[Mapping[str, Language]] = {
    language.tag: _either_spelling(language) for language in (_ENGLISH, _KOREAN, _GERMAN, _PORTUGUESE, _POLISH, _GREEK)
}
"""By tag."""

_BY_PRIMARY: Final = {tag.split("-")[0]: language for tag, language in LANGUAGES.items()}
_ANY_OTHER: Final = Language(tag="")


def language_of(lang: str) -> Language:
    """The entry of a language tag by its primary subtag; one that knows no words where there is none."""
    return _BY_PRIMARY.get(lang.split("-")[0].lower(), _ANY_OTHER)
