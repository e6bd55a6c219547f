from edged.bench.sentences import SENTENCES, Sentence
from edged.bench.timing import ENOUGH, Work, measure, median, quartiles


class Noting:
    def __init__(self, name: str, log: list[tuple[str, str, Sentence]]) -> None:
        self.name = name
        self._log = log

    def prepare(self, sentence: Sentence) -> None:
        self._log.append((self.name, "prepare", sentence))

    def run(self, sentence: Sentence) -> Work:
        self._log.append((self.name, "run", sentence))
        return Work(tokens=SENTENCES.index(sentence), calls=1)


def test_every_path_gets_every_sentence_in_turn_and_never_one_that_was_just_said() -> None:
    log: list[tuple[str, str, Sentence]] = []
    samples = measure([Noting("a", log), Noting("b", log)], SENTENCES[:4], rounds=2)
    runs = [(name, sentence) for name, what, sentence in log if what == "run"][-16:]
    assert [name for name, _ in runs] == ["a", "b"] * 8
    assert all(one is not other for (_, one), (_, other) in zip(runs[::2], runs[1::2], strict=True))
    for name in ("a", "b"):
        assert sorted(sample.work.tokens for sample in samples[name]) == [0, 0, 1, 1, 2, 2, 3, 3]
        assert all(sample.work.tokens == SENTENCES.index(sample.sentence) for sample in samples[name])


def test_each_sentence_is_prepared_before_it_is_run() -> None:
    log: list[tuple[str, str, Sentence]] = []
    measure([Noting("a", log)], SENTENCES[:2], rounds=1)
    assert all(one[1:] == ("prepare", two[2]) for one, two in zip(log[::2], log[1::2], strict=True))


def test_few_sentences_are_said_in_more_rounds_than_many() -> None:
    assert len(measure([Noting("a", [])], SENTENCES[:12])["a"]) >= ENOUGH
    assert len(measure([Noting("a", [])], [*SENTENCES, *SENTENCES, *SENTENCES])["a"]) == 60


def test_medians_and_quartiles_of_few_values_are_there() -> None:
    assert (median([]), median([2.0]), median([1, 4])) == (0.0, 2.0, 2.5)
    assert quartiles([]) == (0.0, 0.0)
    assert quartiles([3.0]) == (3.0, 3.0)
    assert quartiles([1, 2, 3, 4, 5]) == (2.0, 4.0)
