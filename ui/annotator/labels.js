/* Labels of a note: mentions, relations, and a model's suggestions. Never changed in place: an edit gives
   new labels, so that undo is the old ones.

   mention     {id, start, end, type, attributes, from?, origin?, ...}   from: the suggestion it came from
   relation    {head, tail, type, from?, origin?, ...}
   suggestion  {key, start, end, type, attributes, score, by, outcome}   outcome: open, taken, rejected
   suggested relation  {key, head, tail, type, score, by, outcome}       head and tail: suggestions' keys */

const EMPTY = Object.freeze({ mentions: [], relations: [], suggestedMentions: [], suggestedRelations: [] });

const byPlace = (a, b) => a.start - b.start || b.end - a.end;
const sameSpan = (a, b) => a.start === b.start && a.end === b.end;
const relationId = (r) => JSON.stringify([r.head, r.type, r.tail]);

class LabelSchema {
  constructor({ entities, relations, attributes }) {
    Object.assign(this, { entities, relations, attributes });
    this.byName = new Map(entities.map((e) => [e.name, e]));
  }

  colour(type) {
    return this.byName.get(type)?.colour ?? "#dddddd";
  }

  allowed(head, tail) {
    return this.relations.filter((r) => r.head.includes(head) && r.tail.includes(tail)).map((r) => r.name);
  }

  symmetric(type) {
    return this.relations.some((r) => r.name === type && r.symmetric);
  }

  defaults() {
    return Object.fromEntries(this.attributes.map((a) => [a.name, a.default]));
  }

  /* Values that are not the default, for a tag. */
  unusual(mention) {
    return this.attributes.map((a) => mention.attributes?.[a.name] ?? a.default).filter((v, i) => v !== this.attributes[i].default);
  }

  negative(mention) {
    return this.attributes.some((a) => a.negative.includes(mention.attributes?.[a.name] ?? a.default));
  }
}

function mentionOf(labels, id) {
  return labels.mentions.find((m) => m.id === id);
}

/* A mention, or an open suggestion of one, by id or key. */
function itemOf(labels, id) {
  return mentionOf(labels, id) ?? labels.suggestedMentions.find((s) => s.key === id && s.outcome === "open");
}

function freshId(labels) {
  const taken = new Set(labels.mentions.map((m) => m.id));
  let number = 1;
  for (const id of taken) {
    const found = /^T(\d{1,9})$/.exec(id);
    if (found) number = Math.max(number, Number(found[1]) + 1);
  }
  while (taken.has(`T${number}`)) number += 1;
  return `T${number}`;
}

/* With one more mention; what a model suggested at the same place counts as taken. Null if it is there already. */
function withMention(labels, mention) {
  if (labels.mentions.some((m) => sameSpan(m, mention) && m.type === mention.type)) return null;
  const here = labels.suggestedMentions.filter((s) => s.outcome !== "taken" && sameSpan(s, mention));
  const match = here.find((s) => s.type === mention.type) ?? here[0];
  const added = match && mention.from === undefined ? { ...mention, from: match.key } : mention;
  return {
    ...labels,
    mentions: [...labels.mentions, added].sort(byPlace),
    suggestedMentions: marked(labels.suggestedMentions, added.from, "taken"),
  };
}

function marked(suggestions, key, outcome) {
  return key === undefined ? suggestions : suggestions.map((s) => (s.key === key ? { ...s, outcome } : s));
}

function withoutMention(labels, id) {
  const gone = mentionOf(labels, id);
  const rest = { ...labels, mentions: labels.mentions.filter((m) => m.id !== id) };
  rest.relations = labels.relations.filter((r) => r.head !== id && r.tail !== id);
  return gone.from === undefined ? rest : withRejected(rest, gone.from);
}

/* A mention that a person has changed: no longer one of a bulk, and no longer what a model scored. */
function byHand({ score, origin, ...mention }) {
  return origin === undefined || origin === "bulk" ? mention : { ...mention, origin };
}

function withChanged(labels, id, change) {
  const mentions = labels.mentions.map((m) => (m.id === id ? { ...byHand(m), ...change } : m));
  return { ...labels, mentions: mentions.sort(byPlace) };
}

/* A mention's new place. The parts of a discontinuous one are given up: one stretch takes their place. */
function withPlace(labels, id, start, end) {
  const { fragments, ...mention } = byHand(mentionOf(labels, id));
  const mentions = labels.mentions.map((m) => (m.id === id ? { ...mention, start, end } : m));
  return { ...labels, mentions: mentions.sort(byPlace) };
}

/* A mention's new type; `lost` are the relations that the schema then forbids, which go. */
function withType(labels, id, type, schema) {
  const { types, concepts, ...mention } = byHand(mentionOf(labels, id));
  const mentions = labels.mentions.map((m) => (m.id === id ? { ...mention, type } : m));
  const typed = new Map(mentions.map((m) => [m.id, m.type]));
  const fits = (r) => schema.allowed(typed.get(r.head), typed.get(r.tail)).includes(r.type);
  const touched = (r) => r.head === id || r.tail === id;
  const lost = labels.relations.filter((r) => touched(r) && !fits(r));
  return { labels: { ...labels, mentions, relations: labels.relations.filter((r) => !lost.includes(r)) }, lost };
}

function relationThere(labels, { head, tail, type }, schema) {
  return labels.relations.find(
    (r) => r.type === type && ((r.head === head && r.tail === tail) || (schema.symmetric(type) && r.head === tail && r.tail === head)),
  );
}

function withRelation(labels, relation, schema) {
  return relationThere(labels, relation, schema) ? null : { ...labels, relations: [...labels.relations, relation] };
}

function withoutRelation(labels, id) {
  const gone = labels.relations.find((r) => relationId(r) === id);
  return {
    ...labels,
    relations: labels.relations.filter((r) => r !== gone),
    suggestedRelations: marked(labels.suggestedRelations, gone.from, "rejected"),
  };
}

/* A suggestion as a mention, or what it says of one that is there (but in bulk: what a person wrote stays); others for
   the same place are rejected. */
function withAccepted(labels, key, origin) {
  const suggestion = labels.suggestedMentions.find((s) => s.key === key);
  const { start, end, type, attributes, fragments, concepts } = suggestion;
  const there = labels.mentions.find((m) => sameSpan(m, suggestion) && m.type === type);
  const parts = { ...(fragments?.length && { fragments }), ...(concepts?.length && { concepts }) };
  const mention = { id: freshId(labels), start, end, type, attributes, ...parts, from: key, ...(origin && { origin }) };
  const accepted = there
    ? { ...(origin ? labels : withChanged(labels, there.id, { attributes, from: key })), suggestedMentions: marked(labels.suggestedMentions, key, "taken") }
    : withMention(labels, mention);
  const rivals = accepted.suggestedMentions.filter((s) => s.outcome === "open" && sameSpan(s, suggestion));
  // A rival that says the same type keeps its relations: the mention that is there will be their end.
  return rivals.reduce(
    (rest, rival) => (rival.type === type ? { ...rest, suggestedMentions: marked(rest.suggestedMentions, rival.key, "rejected") } : withRejected(rest, rival.key)),
    accepted,
  );
}

/* The mention that a suggestion became, or the one that says the same. */
function takenAs(labels, key) {
  const suggestion = labels.suggestedMentions.find((s) => s.key === key);
  return (
    labels.mentions.find((m) => m.from === key) ??
    labels.mentions.find((m) => suggestion && sameSpan(m, suggestion) && m.type === suggestion.type)
  );
}

/* A suggested relation accepted, its open ends with it. Null if it can't hold: an end is rejected or has another type. */
function withAcceptedRelation(labels, key, schema, origin) {
  const suggestion = labels.suggestedRelations.find((s) => s.key === key);
  for (const end of [suggestion.head, suggestion.tail]) {
    if (labels.suggestedMentions.some((s) => s.key === end && s.outcome === "open")) labels = withAccepted(labels, end, origin);
  }
  const [head, tail] = [takenAs(labels, suggestion.head), takenAs(labels, suggestion.tail)];
  if (!head || !tail || head === tail || !schema.allowed(head.type, tail.type).includes(suggestion.type)) return null;
  const relation = { head: head.id, tail: tail.id, type: suggestion.type, from: key, ...(origin && { origin }) };
  return { ...(withRelation(labels, relation, schema) ?? labels), suggestedRelations: marked(labels.suggestedRelations, key, "taken") };
}

/* A suggestion rejected, and those relations that would have needed it. */
function withRejected(labels, key) {
  const relations = labels.suggestedRelations.map((s) =>
    s.key === key || (s.outcome === "open" && (s.head === key || s.tail === key)) ? { ...s, outcome: "rejected" } : s,
  );
  return { ...labels, suggestedMentions: marked(labels.suggestedMentions, key, "rejected"), suggestedRelations: relations };
}

/* Open suggestions in reading order, mentions first: what `a` and `x` go through. */
function openSuggestions(labels) {
  const at = new Map(labels.suggestedMentions.map((s) => [s.key, s.start]));
  const first = (r) => Math.min(at.get(r.head) ?? 0, at.get(r.tail) ?? 0);
  const mentions = labels.suggestedMentions.filter((s) => s.outcome === "open").sort(byPlace);
  const relations = labels.suggestedRelations.filter((s) => s.outcome === "open").sort((a, b) => first(a) - first(b));
  return [...mentions, ...relations];
}

function isOpen(labels, key) {
  const has = (s) => s.key === key && s.outcome === "open";
  return labels.suggestedMentions.some(has) || labels.suggestedRelations.some(has);
}

/* What became of each suggestion: open, rejected, accepted, changed, or bulk. */
function outcomes(labels) {
  const attributesOf = (m) => JSON.stringify(Object.entries(m.attributes ?? {}).sort());
  const told = (s, found, same) => {
    if (s.outcome !== "taken") return s.outcome;
    if (!found) return "rejected";
    return found.origin === "bulk" ? "bulk" : same ? "accepted" : "changed";
  };
  return {
    mentions: labels.suggestedMentions.map((s) => {
      const found = s.outcome === "taken" ? takenAs(labels, s.key) : undefined;
      const same = found && sameSpan(found, s) && found.type === s.type && attributesOf(found) === attributesOf(s);
      return { ...s, outcome: told(s, found, same), became: found?.id ?? null };
    }),
    relations: labels.suggestedRelations.map((s) => {
      const found = s.outcome === "taken" ? labels.relations.find((r) => r.from === s.key) : undefined;
      const same = found && found.type === s.type && takenAs(labels, s.head)?.id === found.head && takenAs(labels, s.tail)?.id === found.tail;
      return { ...s, outcome: told(s, found, same), became: found ? [found.head, found.type, found.tail] : null };
    }),
  };
}

/* Undo without end: every state of the labels since the document was opened. */
class History {
  constructor(labels) {
    this.states = [labels];
    this.at = 0;
  }

  get labels() {
    return this.states[this.at];
  }

  push(labels) {
    this.states.length = this.at + 1;
    this.states.push(labels);
    this.at += 1;
  }

  move(by) {
    const to = Math.min(Math.max(this.at + by, 0), this.states.length - 1);
    const moved = to !== this.at;
    this.at = to;
    return moved;
  }
}
