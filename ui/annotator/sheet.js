/* A document as the server sends it (offsets in code points) and as it is worked on (UTF-16 units), both ways. */

class Sheet {
  constructor(data, schema) {
    this.document = data.document;
    this.name = data.name;
    this.string = data.text;
    this.sha256 = data.sha256;
    this.test = data.split === "test";
    this.text = new NoteText(data.text);
    this.base = data.base;
    this.status = data.status;
    this.note = data.note;
    this.annotated = data.annotated;
    this.model = data.suggestions?.model ?? "";
    this.blind = data.blind;
    this.tokens = (data.versions ?? []).map((v) => v.token);
    this.versions = (data.versions ?? []).map((v) => ({ title: v.annotator, labels: this.read(v.labels) }));
    this.first = this.read(data.labels, data.suggestions);
    this.schema = schema;
    this.sitting = Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
    this.sequence = 0;
    this.seconds = data.suggestions?.seconds ?? 0;
    this.conflict = null;
  }

  /* Whether the server has what it had: the same text, labels and, in a review, versions. */
  sameAs(other) {
    return this.base === other.base && this.sha256 === other.sha256 && this.tokens.join() === other.tokens.join();
  }

  inUnits(m) {
    const place = { start: this.text.toUnits(m.start), end: this.text.toUnits(m.end) };
    return { ...m, ...place, ...(m.fragments && { fragments: m.fragments.map((f) => f.map((p) => this.text.toUnits(p))) }) };
  }

  inPoints(m) {
    const place = { start: this.text.toPoints(m.start), end: this.text.toPoints(m.end) };
    return { ...m, ...place, ...(m.fragments && { fragments: m.fragments.map((f) => f.map((u) => this.text.toPoints(u))) }) };
  }

  /* Labels of the exchange format, with suggestions beside them. What a suggestion became keeps the link to it. */
  read({ entities, relations }, suggestions) {
    const mentions = entities.map((e) => this.inUnits(e)).sort(byPlace);
    const labels = { ...EMPTY, mentions, relations };
    if (!suggestions) return labels;
    const taken = new Map(suggestions.mentions.filter((s) => s.became != null).map((s) => [s.became, s.key]));
    const related = new Map(suggestions.relations.filter((s) => s.became).map((s) => [JSON.stringify(s.became), s.key]));
    const state = ({ became, ...s }) => ({ ...s, outcome: s.outcome === "open" || s.outcome === "rejected" ? s.outcome : "taken" });
    return {
      mentions: mentions.map((m) => (taken.has(m.id) ? { ...m, from: taken.get(m.id) } : m)),
      relations: relations.map((r) => (related.has(relationId(r)) ? { ...r, from: related.get(relationId(r)) } : r)),
      suggestedMentions: suggestions.mentions.map((s) => this.inUnits(state(s))),
      suggestedRelations: suggestions.relations.map(state),
    };
  }

  /* What a save sends. */
  payload(labels, mode, who) {
    const told = outcomes(labels);
    this.sequence += 1;
    return {
      mode,
      who,
      versions: this.tokens,
      document: this.document,
      sha256: this.sha256,
      base: this.base,
      sitting: this.sitting,
      sequence: this.sequence,
      status: this.status,
      note: this.note,
      annotated: this.annotated,
      labels: {
        entities: labels.mentions.map(({ from, ...m }) => this.inPoints(m)),
        relations: labels.relations.map(({ from, ...r }) => r),
      },
      work: {
        model: this.model,
        blind: this.blind,
        seconds: Math.round(this.seconds),
        added: labels.mentions.filter((m) => m.from === undefined).length,
        mentions: told.mentions.map((s) => this.inPoints(s)),
        relations: told.relations,
      },
    };
  }
}
