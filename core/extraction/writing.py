"""What the generative family may write, a piece at a time, and what has been written.

An answer (`core/extraction/prompt.py`) is written in pieces: its beginning, each mention, what stands
between mentions and relations, each relation, its end. What a piece may be follows from those before
it: a mention is copied from the note, at or after the one before; a relation joins two mentions that
the schema lets be related, and comes after the one before. So nothing can be repeated, and every
answer ends. Immutable, so that a draft can be taken back.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from core.document import Entity, Relation
from core.extraction import Annotation
from core.extraction.windows import WORD
from core.schema import Schema

BEGIN, BETWEEN, END = '{"entities":[', '],"relations":[', "]}"
_WORD = re.compile(r"\w+")
# A mention begins and ends at the edges of these: words, signs, blanks.
_CHUNK = re.compile(WORD.pattern + r"|\s+")


def plain(text: str) -> str:
    """The note as mentions are copied from it: as long as it was, without what JSON escapes."""
    return "".join(
        "'" if c == '"' else "/" if c == "\\" else c if c.isprintable() else " " for c in text
    )


def pieces(entities: list[dict[str, str]], relations: list[tuple[int, str, int]]) -> Iterator[str]:
    """An answer's pieces: mentions in order of appearance, relations by the mentions' numbers, in
    order."""
    yield BEGIN
    for i, e in enumerate(entities):
        yield "," * (i > 0) + json.dumps(e, ensure_ascii=False, separators=(",", ":"))
    yield BETWEEN
    for i, r in enumerate(relations):
        yield "," * (i > 0) + json.dumps(r, ensure_ascii=False, separators=(",", ":"))
    yield END


@dataclass(frozen=True, slots=True)
class Mention:
    """A mention as written: where it is in the note, or nowhere (start -1) if it was written once more
    than the note has it."""

    start: int
    end: int
    type: str
    attributes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer so far: `cursor` is where the next mention may begin."""

    text: str
    schema: Schema
    mentions: tuple[Mention, ...] = ()
    relations: tuple[tuple[int, str, int], ...] = ()
    stage: str = "begin"
    cursor: int = 0

    @property
    def whole(self) -> bool:
        return self.stage == "whole"

    def grammar(self) -> str:
        """What the next piece may be, in llguidance's Lark."""
        if self.stage == "begin":
            return _lark(_quoted(BEGIN))
        if self.stage == "entities":
            return self._mentions()
        return self._relations()

    def after(self, piece: str) -> "Answer":
        """The answer with another piece, which must be one that `grammar` lets be."""
        if piece == BEGIN:
            return replace(self, stage="entities")
        if piece == BETWEEN:
            return replace(self, stage="relations")
        if piece == END:
            return replace(self, stage="whole")
        written = json.loads(piece.removeprefix(","))
        if self.stage == "relations":
            return replace(self, relations=(*self.relations, tuple(written)))
        return self._with(written)

    def annotation(self) -> Annotation:
        """What it says of the note."""
        places = [i for i, m in enumerate(self.mentions) if m.start >= 0]
        names = {i: f"T{n}" for n, i in enumerate(places, start=1)}
        every = {a.name: a.default for a in self.schema.attributes}
        said: dict[tuple[str, str, str], None] = {}
        for head, name, tail in self.relations:
            if head == tail:
                continue
            ends = names[head], names[tail]
            first, second = sorted(ends) if name in self.schema.symmetric else ends
            said[first, second, name] = None
        return Annotation(
            entities=tuple(
                Entity(
                    id=names[i],
                    start=self.mentions[i].start,
                    end=self.mentions[i].end,
                    type=self.mentions[i].type,
                    attributes=every | dict(self.mentions[i].attributes),
                )
                for i in places
            ),
            relations=tuple(Relation(head=h, tail=t, type=name) for h, t, name in said),
            unfinished=not self.whole,
        )

    def _with(self, written: dict[str, str]) -> "Answer":
        mention, kind = written.pop("text").strip(), written.pop("type")
        start = self._place(mention)
        end = start + len(mention) if start >= 0 else -1
        found = Mention(start, end, kind, tuple(written.items()))
        cursor = start if start >= 0 else _next_word(self.text, self.cursor)
        return replace(self, mentions=(*self.mentions, found), cursor=cursor)

    def _place(self, mention: str) -> int:
        """Where a mention is: the next place that has it, words whole; -1 if there is none."""
        last = next((m for m in reversed(self.mentions) if m.start >= 0), Mention(-1, -1, "", ()))
        copy, at = plain(self.text), self.cursor - 1
        while mention and (at := copy.find(mention, at + 1)) >= 0:
            end = at + len(mention)
            cuts = (at and copy[at - 1].isalnum() and copy[at].isalnum()) or (
                end < len(copy) and copy[end].isalnum() and copy[end - 1].isalnum()
            )
            if not cuts and (at > last.start or (at == last.start and end < last.end)):
                return at
        return -1

    def _mentions(self) -> str:
        left = plain(self.text[self.cursor :])
        if not _WORD.search(left):
            return _lark(_quoted(BETWEEN))
        some = {"substring_chunks": _CHUNK.findall(left)}
        rules = [f"MENTION: %regex {json.dumps(some, ensure_ascii=False)}"]
        begin = "," * bool(self.mentions) + '{"text":"'
        one = [_quoted(begin), "MENTION", _quoted('","type":"')]
        one += [_either(self.schema.entity_names), _quoted('"')]
        for i, a in enumerate(self.schema.attributes):
            values = _either([v for v in a.values if v != a.default])
            rules.append(" ".join((f"a{i}:", _quoted(',"' + a.name + '":"'), values, _quoted('"'))))
            one.append(f"a{i}?")
        return _lark(" ".join((*one, _quoted("}"), "|", _quoted(BETWEEN))), *rules)

    def _relations(self) -> str:
        """Relations after the last one, by head; those of one type of head share a rule."""
        last = self.relations[-1] if self.relations else (-1, "", -1)
        rules: list[str] = []
        heads: list[str] = []
        for kind in self.schema.entity_names:
            numbers = [str(i) for i, m in self._placed() if m.type == kind and i > last[0]]
            if numbers and (rest := self._rest(kind, ("", -1))):
                heads.append(f"{_either(numbers)} r_{len(rules)}")
                rules.append(f"r_{len(rules)}: {rest}")
        if last[0] >= 0 and (rest := self._rest(self.mentions[last[0]].type, (last[1], last[2]))):
            heads.append(f"{_quoted(str(last[0]))} ({rest})")
        if not heads:
            return _lark(_quoted(END))
        # One sign for the beginning of all: a lexer takes the longest, and doesn't go back on it.
        begin = _quoted("," * bool(self.relations) + "[")
        return _lark(f"{_quoted(END)} | {begin} ({' | '.join(heads)})", *rules)

    def _rest(self, kind: str, after: tuple[str, int]) -> str:
        """What may follow a head of a type: relation types and tails, after those given."""
        choices = []
        for name in self.schema.relation_names:
            tails = [
                i
                for i, m in self._placed()
                if name in self.schema.allowed(kind, m.type) and (name, i) > after
            ]
            if tails:
                numbers = _either(f"{i}]" for i in tails)
                choices.append(_quoted(',"' + name + '",') + f" {numbers}")
        return " | ".join(choices)

    def _placed(self) -> Iterator[tuple[int, Mention]]:
        return ((i, m) for i, m in enumerate(self.mentions) if m.start >= 0)


def _next_word(text: str, at: int) -> int:
    here = _WORD.match(text, at)
    after = _WORD.search(text, here.end() if here else at)
    return after.start() if after else len(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _either(texts: Iterable[str]) -> str:
    return "(" + " | ".join(map(_quoted, texts)) + ")"


def _lark(start: str, *rules: str) -> str:
    return "\n".join((f"start: {start}", *rules))
