"""What the generative family is asked and what it answers.

The answer is compact JSON: every mention in order of appearance, copied from the note, then every
relation by the mentions' numbers; `"relations":[]` says that there is none. An attribute is written
where it is not its default.
"""

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from core.document import Document
from core.extraction.writing import pieces, plain
from core.schema import Schema


def instruction(schema: Schema) -> str:
    """What to look for, in the schema's own words."""
    entities = "; ".join(f"{e.name} ({e.help})" if e.help else e.name for e in schema.entities)
    relations = "; ".join(
        f"{r.name} ({' or '.join(r.head)} -> {' or '.join(r.tail)})" for r in schema.relations
    )
    attributes = "; ".join(
        f"{a.name} ({', '.join(a.values)}; left out when {a.default})" for a in schema.attributes
    )
    return (
        "List the mentions of the note in order of appearance, copied exactly, and the relations that "
        "its text states, as JSON: "
        '{"entities":[{"text":"...","type":"..."}],"relations":[[head number,"type",tail number]]}.\n'
        f"Types: {entities}.\nRelations: {relations or 'none'}.\nAttributes: {attributes or 'none'}."
    )


def prompt(text: str, schema: Schema, tokenizer: PreTrainedTokenizerBase) -> str:
    """The whole input for a note: in the tokenizer's chat template where it has one."""
    if tokenizer.chat_template:
        turns = [
            {"role": "system", "content": instruction(schema)},
            {"role": "user", "content": text},
        ]
        try:
            return _templated(turns, tokenizer)
        except TemplateError:  # some, such as Mistral's first ones, have no system role
            return _templated(
                [{"role": "user", "content": f"{instruction(schema)}\n\n{text}"}], tokenizer
            )
    return f"{instruction(schema)}\n\n### Note\n{text}\n\n### Answer\n"


def tokens(text: str, schema: Schema, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The input's tokens. What stands in the note is text, also where it looks like the marks by which
    the template tells who speaks."""
    before, _, after = prompt(_NOTE, schema, tokenizer).partition(_NOTE)
    own = tokenizer(before, add_special_tokens=False)["input_ids"]
    turn = tokenizer(after, add_special_tokens=False)["input_ids"]
    return [*own, *plain_tokens(text, tokenizer), *turn]


def plain_tokens(text: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The tokens of a text in which nothing is a mark."""
    ids: list[int] = tokenizer(
        text, add_special_tokens=False, split_special_tokens=True, verbose=False
    )["input_ids"]
    return ids


# Where the note goes; no template and no instruction has it.
_NOTE = "\uffffnote\uffff"


def _templated(turns: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase) -> str:
    written: str = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    return written


def answer(document: Document, schema: Schema) -> list[str]:
    """A document's labels as the answer that is to be learned, in pieces."""
    defaults = {a.name: a.default for a in schema.attributes}
    order = sorted(document.entities, key=lambda e: (e.start, -e.end))
    number = {e.id: i for i, e in enumerate(order)}
    copy = plain(document.text)
    entities = [
        {
            "text": copy[e.start : e.end],
            "type": e.type,
            **{k: v for k, v in e.attributes.items() if v != defaults.get(k)},
        }
        for e in order
    ]
    relations = sorted((number[r.head], r.type, number[r.tail]) for r in document.relations)
    return list(pieces(entities, relations))
