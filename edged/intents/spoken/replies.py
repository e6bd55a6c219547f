"""What people answer to a question, and how one is asked: an entry a language, with English for all others.

All words that are said are written as `normalize_text` writes them. In a text that is shown, {options} stands for what
may be said and {said} for what was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edged.intents.spoken.language import language_of


@dataclass(frozen=True, slots=True)
class Replies:
    """One language's; the first of `yes` and of `no` is what is shown."""

    yes: tuple[str, ...]
    no: tuple[str, ...]
    cancel: tuple[str, ...]
    """Drops the question, and with it what was asked for."""
    withdrawals: tuple[str, ...]
    """At the end of a command these take it back; as an answer they are `cancel` too."""
    all: tuple[str, ...]
    both: tuple[str, ...]
    ordinals: tuple[tuple[str, ...], ...]
    """The ways to say the first, the second, ..."""
    fillers: tuple[str, ...]
    """Words that may stand in an answer and change nothing; none of them may be a command's."""
    before_value: tuple[str, ...]
    """The same, where a value is asked for."""
    which: str
    joined: str
    """Between two options."""
    value: str
    """Where the intent's file has no question of its own."""
    confirm: str
    confirm_house: str

    def dropping(self) -> tuple[str, ...]:
        """All that drops a question."""
        return (*self.cancel, *self.withdrawals)


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(" ".join(phrase.split()) for phrase in text.split(","))


def _ordinals(*texts: str) -> tuple[tuple[str, ...], ...]:
    return tuple(map(_phrases, texts))


_ENGLISH: Final = Replies(
    yes=_phrases("yes, yeah, yep, yup, sure, of course, certainly, do it, do that, go ahead, that's right, i am sure"),
    no=_phrases("no, nope, nah, don't, don't do it, do not, do not do it, neither, none, no thanks, no thank you"),
    cancel=_phrases("cancel, cancel it, stop, stop it, leave it, abort"),
    withdrawals=_phrases(
        "never mind, nevermind, forget it, forget that, forget about it, cancel that, don't bother, scratch that"
    ),
    all=_phrases("all, all of them, every one, all of those, everything"),
    both=_phrases("both, both of them, the two of them"),
    ordinals=_ordinals(
        "first, number one", "second, number two", "third, number three", "fourth, number four", "fifth, number five"
    ),
    fillers=_phrases("one, ones, that one, this one, that, it's, it is, in, at, i mean, i meant"),
    before_value=_phrases("to, at, by, it, make it, set it to, make that"),
    which="Which one: {options}?",
    joined=" or ",
    value="What should it be?",
    confirm="Shall I really do this: {said}?",
    confirm_house="In the whole house: {said}?",
)

_KOREAN: Final = Replies(
    yes=_phrases("네, 예, 응, 그래, 그래요, 맞아, 맞아요, 좋아, 좋아요, 물론, 물론이지, 해 줘, 해 주세요"),
    no=_phrases("아니요, 아니, 아니오, 아뇨, 하지 마, 하지 마세요, 싫어, 안 돼, 아니야"),
    cancel=_phrases("취소, 취소해, 취소해 줘, 취소해 주세요, 그만, 그만둬, 그만해, 됐어, 됐어요"),
    withdrawals=_phrases("아니야 됐어, 아니 됐어, 아니에요 됐어요, 신경 쓰지 마, 없던 걸로 해, 없던 일로 해, 잊어버려"),
    all=_phrases("전부, 전부 다, 모두, 모두 다, 다"),
    both=_phrases("둘 다, 두 개 다, 양쪽, 양쪽 다"),
    ordinals=_ordinals(
        "첫 번째, 첫째, 일 번", "두 번째, 둘째, 이 번", "세 번째, 셋째, 삼 번", "네 번째, 넷째, 사 번",
        "다섯 번째, 다섯째, 오 번",
    ),
    fillers=_phrases("거, 것, 거요, 것이요, 걸로, 것으로, 쪽, 있는, 에 있는, 요, 이요, 이에요, 예요, 그, 저"),
    before_value=_phrases("해 줘, 해 주세요, 해, 맞춰 줘, 맞춰 주세요"),
    which="어느 것인가요: {options}?",
    joined=" 또는 ",
    value="어떻게 할까요?",
    confirm="정말 할까요: {said}?",
    confirm_house="집 전체인가요: {said}?",
)  # fmt: skip

_GERMAN: Final = Replies(
    yes=_phrases("ja, jawohl, ja gerne, gerne, klar, na klar, sicher, ja bitte, mach das, mach es, genau, natürlich"),
    no=_phrases("nein, nee, nö, nicht, lieber nicht, nein danke, keine, keins, keines, keiner"),
    cancel=_phrases("abbrechen, abbruch, stopp, lass es, lass das, lass gut sein"),
    withdrawals=_phrases("vergiss es, vergiss das, schon gut, doch nicht, ach lass, ach egal, hat sich erledigt"),
    all=_phrases("alle, alles, alle zusammen"),
    both=_phrases("beide, beides, alle beide"),
    ordinals=_ordinals(
        "erste, ersten, erster, erstes, nummer eins", "zweite, zweiten, zweiter, zweites, nummer zwei",
        "dritte, dritten, dritter, drittes, nummer drei", "vierte, vierten, vierter, viertes, nummer vier",
        "fünfte, fünften, fünfter, fünftes, nummer fünf",
    ),
    fillers=_phrases("in, im, am, die da, das da, ich meine, ich meinte"),
    before_value=_phrases("auf, mach es auf, mach sie auf, um"),
    which="Was ist gemeint: {options}?",
    joined=" oder ",
    value="Welcher Wert soll es sein?",
    confirm="Soll ich das wirklich tun: {said}?",
    confirm_house="Im ganzen Haus: {said}?",
)  # fmt: skip

_PORTUGUESE: Final = Replies(
    yes=_phrases("sim, isso, isso mesmo, claro, com certeza, pode, pode sim, pode ser, faz isso, tá bom, certo"),
    no=_phrases("não, não faz, não faça, nenhum, nenhuma, nenhum deles, nenhuma delas, não obrigado, não obrigada"),
    cancel=_phrases("cancela, cancelar, cancele, pare"),
    withdrawals=_phrases(
        "deixa pra lá, deixa para lá, deixa quieto, esquece, esquece isso, esqueça, cancela isso, não precisa mais"
    ),
    all=_phrases("todos, todas, tudo, todos eles, todas elas"),
    both=_phrases("os dois, as duas, ambos, ambas"),
    ordinals=_ordinals(
        "primeiro, primeira, número um", "segundo, segunda, número dois", "terceiro, terceira, número três",
        "quarto, quarta, número quatro", "quinto, quinta, número cinco",
    ),
    fillers=_phrases("do, da, de, no, na, em, aquele, aquela, esse, essa, é, quero dizer"),
    before_value=_phrases("para, pra, em, a, coloca em, põe em, deixa em"),
    which="Qual: {options}?",
    joined=" ou ",
    value="Qual deve ser o valor?",
    confirm="Devo mesmo fazer isso: {said}?",
    confirm_house="Na casa toda: {said}?",
)  # fmt: skip

_POLISH: Final = Replies(
    yes=_phrases("tak, no tak, jasne, pewnie, oczywiście, zgadza się, zrób to, tak proszę, dokładnie"),
    no=_phrases("nie, nie rób tego, żaden, żadna, żadne, nie dziękuję, nie dzięki"),
    cancel=_phrases("anuluj, anuluj to, stop, przestań, zostaw, zostaw to"),
    withdrawals=_phrases("nieważne, nie ważne, zapomnij, zapomnij o tym, daj spokój, jednak nie, już nie trzeba"),
    all=_phrases("wszystkie, wszystko, wszystkich, wszystkie naraz"),
    both=_phrases("oba, obie, obydwa, obydwie, oboje"),
    ordinals=_ordinals(
        "pierwszy, pierwsza, pierwsze, pierwszą, numer jeden", "drugi, druga, drugie, drugą, numer dwa",
        "trzeci, trzecia, trzecie, trzecią, numer trzy", "czwarty, czwarta, czwarte, czwartą, numer cztery",
        "piąty, piąta, piąte, piątą, numer pięć",
    ),
    fillers=_phrases("ten, ta, to, tę, tą, w, we, z, ze, chodzi o, mam na myśli"),
    before_value=_phrases("na, do, o, ustaw na"),
    which="Które: {options}?",
    joined=" czy ",
    value="Jaka ma być wartość?",
    confirm="Czy na pewno to zrobić: {said}?",
    confirm_house="W całym domu: {said}?",
)  # fmt: skip

_GREEK: Final = Replies(
    yes=_phrases("ναι, μάλιστα, βέβαια, βεβαίως, φυσικά, σίγουρα, ναι παρακαλώ, κάν το, ακριβώς, σωστά"),
    no=_phrases("όχι, μην το κάνεις, κανένα, κανένας, καμία, όχι ευχαριστώ"),
    cancel=_phrases("ακύρωση, ακύρωσέ το, ακύρωσε το, άκυρο, σταμάτα, άσ το, άστο, άσε το"),
    withdrawals=_phrases("ξέχνα το, ξέχασέ το, ξέχασε το, δεν πειράζει, άσ το καλύτερα, άστο καλύτερα, τελικά όχι"),
    all=_phrases("όλα, όλες, όλοι, όλους"),
    both=_phrases("και τα δύο, και τα δυο, και οι δύο, και τις δύο, και τους δύο"),
    ordinals=_ordinals(
        "πρώτο, πρώτη, πρώτος, πρώτον, νούμερο ένα", "δεύτερο, δεύτερη, δεύτερος, νούμερο δύο",
        "τρίτο, τρίτη, τρίτος, νούμερο τρία", "τέταρτο, τέταρτη, τέταρτος, νούμερο τέσσερα",
        "πέμπτο, πέμπτη, πέμπτος, νούμερο πέντε",
    ),
    fillers=_phrases("σε, στο, στη, στην, στον, αυτό, αυτή, αυτόν, εκείνο, εκείνη, που είναι, εννοώ"),
    before_value=_phrases("στους, στα, στο, κάν το, βάλ το"),
    which="Ποιο: {options};",
    joined=" ή ",
    value="Ποια τιμή να βάλω;",
    confirm="Να το κάνω σίγουρα: {said};",
    confirm_house="Σε όλο το σπίτι: {said};",
)  # fmt: skip

REPLIES: Final[Mapping[str, Replies]] = {
    "en": _ENGLISH,
    "ko": _KOREAN,
    "de": _GERMAN,
    "pt-BR": _PORTUGUESE,
    "pl": _POLISH,
    "el": _GREEK,
}
"""By tag, as the entries of languages."""


def replies_of(lang: str) -> Replies:
    """The entry of a language tag by its primary subtag, else the English one."""
    return REPLIES.get(language_of(lang).tag, _ENGLISH)


def list_replies(lang: str) -> tuple[str, ...]:
    """All that can be an answer to any question, for a recogniser: values and areas it knows from the examples."""
    replies = replies_of(lang)
    ordinals = tuple(form for forms in replies.ordinals for form in forms)
    return tuple(
        dict.fromkeys((*replies.yes, *replies.no, *replies.dropping(), *replies.all, *replies.both, *ordinals))
    )
