/* One note under the annotator's hands: selection, edits with undo, what is drawn. `host` hears of edits (`edited`),
   of words for the status line (`say`), and does what concerns the queue (`finish`, `go`, `toggle`, `writeNote`). */

class Desk {
  /* `focus`: the types that are looked for; all if there are none. */
  constructor(root, schema, host, focus) {
    Object.assign(this, { root, schema, host });
    this.page = new NotePage(schema, "The note. Press ? for the keys.");
    this.arcs = new Arcs(this.page, { onPick: (id) => this.pickArc(id) });
    this.mouse = new Mouse(this.page, this);
    this.types = new Map([...typeKeys(schema)].filter(([, type]) => !focus.length || focus.includes(type)));
    this.type = focus[0] ?? schema.entities[0].name;
    this.selected = null; // {kind: "mention" | "arc", id}
    this.pending = null; // {anchor, focus}: offsets of a selection not yet marked
    this.relating = null; // {id, hints: letters → id, typed}
    this.finding = null; // {from: word, typed}
    new ResizeObserver(() => this.page.element.offsetWidth !== this.width && this.draw()).observe(this.page.element);
    this.page.element.addEventListener("keydown", (event) => this.key(event));
  }

  load(text, labels) {
    this.text = text;
    this.history = new History(labels);
    this.selected = this.pending = this.relating = this.finding = this.left = null;
    this.page.element.classList.remove("choosing");
    this.page.load(text.string);
    this.draw();
  }

  get labels() {
    return this.history.labels;
  }

  /* ---- drawing ---- */

  draw() {
    if (!this.text) return;
    this.width = this.page.element.offsetWidth;
    this.page.draw(itemsOf(this.labels, this.schema));
    this.arcs.draw(arcsOf(this.labels, this.page.items));
    this.drawSelection();
  }

  drawSelection() {
    if (this.selected?.kind === "mention" && !this.page.items.has(this.selected.id)) this.selected = null;
    if (this.selected?.kind === "arc" && !this.arcs.groups.has(this.selected.id)) this.selected = null;
    const id = this.selected?.kind === "mention" ? this.selected.id : null;
    this.page.select(id === null ? [] : [id]);
    this.arcs.select(id === null ? [] : [id], this.selected?.kind === "arc" ? this.selected.id : null);
    this.mouse.showHandles(this.selectedMention);
    this.preview(this.pendingSpan);
    this.drawHints();
    this.host.selectionChanged();
  }

  preview(span) {
    for (const old of this.page.overlay.querySelectorAll(".pending")) old.remove();
    for (const box of span ? this.page.rectangles(...span) : []) {
      const mark = element("span", "pending");
      Object.assign(mark.style, { left: `${box.left}px`, top: `${box.top}px`, width: `${box.right - box.left}px`, height: `${box.bottom - box.top}px` });
      this.page.overlay.append(mark);
    }
  }

  drawHints() {
    for (const old of this.page.overlay.querySelectorAll(".hint")) old.remove();
    for (const [letters, id] of this.relating?.hints ?? []) {
      if (!letters.startsWith(this.relating.typed)) continue;
      const item = this.page.items.get(id);
      const [box] = item ? this.page.rectangles(item.start, item.end) : [];
      if (!box) continue;
      const hint = element("kbd", "hint", letters.slice(this.relating.typed.length));
      Object.assign(hint.style, { left: `${box.left}px`, top: `${box.top}px` });
      this.page.overlay.append(hint);
    }
  }

  /* ---- selection ---- */

  get selectedItem() {
    return this.selected?.kind === "mention" ? itemOf(this.labels, this.selected.id) : undefined;
  }

  /* The selected mention, if it is no suggestion. */
  get selectedMention() {
    return this.selected?.kind === "mention" ? mentionOf(this.labels, this.selected.id) : undefined;
  }

  get selectedRelation() {
    return this.selected?.kind === "arc" ? this.labels.relations.find((r) => relationId(r) === this.selected.id) : undefined;
  }

  selectedAmong(ids) {
    return ids.find((id) => this.selected?.kind === "mention" && this.selected.id === id);
  }

  select(id) {
    this.selected = id === null ? null : { kind: "mention", id };
    this.pending = null;
    this.drawSelection();
    if (id !== null) {
      this.page.reveal(id);
      const item = this.page.items.get(id);
      const arcs = this.arcs.arcs.filter((a) => a.head === id || a.tail === id).length;
      this.host.announce(`${this.text.string.slice(item.start, item.end)}, ${item.told}${arcs ? `, ${arcs} relations` : ""}`);
    }
  }

  pickArc(id) {
    this.selected = { kind: "arc", id };
    this.pending = null;
    this.drawSelection();
    const arc = this.arcs.arcs.find((a) => a.id === id);
    const said = (end) => this.text.string.slice(this.page.items.get(end).start, this.page.items.get(end).end);
    this.host.announce(`${said(arc.head)} ${arc.type} ${said(arc.tail)}`);
    this.page.element.focus({ preventScroll: true });
  }

  letGo() {
    getSelection().removeAllRanges();
    if (this.relating) this.endRelation();
    else {
      this.left = this.place; // where the arrows go on
      this.selected = this.pending = null;
      this.drawSelection();
    }
  }

  get pendingSpan() {
    if (!this.pending) return null;
    const { anchor, focus } = this.pending;
    return [Math.min(anchor[0], focus[0]), Math.max(anchor[1], focus[1])];
  }

  /* Where the keyboard is: the selection's moving end, the selected mention, or the start. */
  get place() {
    return this.pending?.focus ?? (this.selectedItem ? [this.selectedItem.start, this.selectedItem.end] : this.left);
  }

  inOrder() {
    return [...this.page.items.values()].sort(byPlace);
  }

  step(by) {
    const items = this.inOrder();
    if (!items.length) return;
    const at = items.findIndex((i) => i.id === this.selected?.id);
    if (at >= 0) this.select(items[(at + by + items.length) % items.length].id);
    else {
      const from = this.place?.[0] ?? 0;
      const next = by > 0 ? items.find((i) => i.start >= from) ?? items[0] : items.findLast((i) => i.start < from) ?? items.at(-1);
      this.select(next.id);
    }
  }

  word(by) {
    if (!this.text.words) return;
    const { starts, ends } = this.text;
    let at = 0;
    if (this.place) {
      const here = this.text.wordAt(by > 0 ? this.place[1] - 1 : this.place[0]);
      at = Math.min(Math.max(here + by, 0), this.text.words - 1);
    }
    this.moveTo([starts[at], ends[at]]);
  }

  row(by) {
    if (!this.text.words) return;
    const at = this.place ?? [0, 0];
    const [box] = this.page.rectangles(at[0], Math.max(at[1], at[0] + 1));
    const origin = this.page.element.getBoundingClientRect();
    for (let d = 12; box && d < 400; d += 6) {
      const y = by > 0 ? box.bottom + d : box.top - d;
      const offset = this.page.offsetAt(box.left + origin.left + 2, y + origin.top);
      if (offset === null) continue;
      const word = this.text.wordAt(offset);
      const [other] = this.page.rectangles(this.text.starts[word], this.text.ends[word]);
      if (other && (by > 0 ? other.top > box.bottom - 2 : other.bottom < box.top + 2)) {
        this.moveTo([this.text.starts[word], this.text.ends[word]]);
        return;
      }
    }
    this.word(by);
  }

  /* What is at an offset: the mention or suggestion there, else the word. */
  goTo(offset) {
    const item = this.inOrder().find((i) => i.start <= offset && offset < i.end);
    if (item) this.select(item.id);
    else if (this.text.words) {
      const word = this.text.wordAt(offset);
      this.moveTo([this.text.starts[word], this.text.ends[word]]);
    }
  }

  beginFinding() {
    if (!this.text.words) return;
    this.finding = { from: this.place ? this.text.wordAt(this.place[1] - 1) + 1 : 0, typed: "" };
    this.host.say("find: type the first letters of a word");
  }

  findKey(event) {
    const { typed } = this.finding;
    if (["Enter", "Escape", "Tab"].includes(event.key)) {
      this.finding = null;
      this.host.say(event.key === "Enter" ? "found" : "");
      return;
    }
    if (event.key === "ArrowRight" && this.place) this.finding.from = this.text.wordAt(this.place[1] - 1) + 1;
    else if (event.key === "Backspace") this.finding.typed = typed.slice(0, -1);
    else if (event.key.length === 1) this.finding.typed += event.key;
    const at = this.text.wordFrom(this.finding.from, this.finding.typed);
    if (at >= 0) this.moveTo([this.text.starts[at], this.text.ends[at]]);
    this.host.say(at >= 0 ? `find: ${this.finding.typed}` : `find: ${this.finding.typed} (nowhere)`);
  }

  moveTo(word) {
    this.selected = null;
    this.pending = { anchor: word, focus: word };
    this.drawSelection();
    this.page.overlay.querySelector(".pending")?.scrollIntoView({ block: "nearest" });
    this.host.announce(this.text.string.slice(...word));
  }

  extend(by, unit) {
    const mention = this.selectedMention;
    if (mention) {
      const end = this.moved(mention.end, by, unit, true);
      if (end > mention.start) this.resized(mention.id, ...(this.text.trimmed(mention.start, end) ?? [mention.start, mention.end]));
    } else if (this.pending) {
      const { focus } = this.pending;
      if (unit === "letter") {
        const [start, end] = this.pendingSpan;
        const to = this.moved(end, by, unit, true);
        if (to > start) this.pending = { anchor: [start, to], focus: [start, to] };
      } else {
        const word = Math.min(Math.max(this.text.wordAt(focus[0]) + by, 0), this.text.words - 1);
        this.pending = { ...this.pending, focus: [this.text.starts[word], this.text.ends[word]] };
      }
      this.drawSelection();
    } else this.word(by);
  }

  begin(by) {
    const mention = this.selectedMention;
    if (!mention) return;
    const start = this.moved(mention.start, by, "word", false);
    if (start < mention.end) this.resized(mention.id, start, mention.end);
  }

  /* An edge (an end or a start) moved by a word or a letter. */
  moved(offset, by, unit, end) {
    if (unit === "letter") return this.text.step(offset, by);
    const edges = end ? this.text.ends : this.text.starts;
    const at = by > 0 ? firstAtLeast(edges, offset + 1) : firstAtLeast(edges, offset) - 1;
    return edges[Math.min(Math.max(at, 0), edges.length - 1)] ?? offset;
  }

  edge() {
    const id = this.selected?.kind === "mention" ? this.selected.id : this.edgeOf;
    const own = this.arcs.arcs.filter((a) => a.head === id || a.tail === id);
    if (!own.length) return this.host.say("this mention has no relations");
    const at = own.findIndex((a) => a.id === this.selected?.id);
    this.edgeOf = id;
    return this.pickArc(own[(at + 1) % own.length].id);
  }

  /* ---- edits ---- */

  edit(labels, told) {
    if (!labels || this.host.locked) return false;
    this.endRelation();
    this.history.push(labels);
    this.host.edited(told); // before it is drawn: whatever happens there, it is saved
    this.draw();
    return true;
  }

  undo() {
    this.travel(-1, "nothing to undo");
  }

  redo() {
    this.travel(1, "nothing to redo");
  }

  travel(by, nothing) {
    if (this.host.locked) return;
    this.endRelation();
    if (!this.history.move(by)) return void this.host.say(nothing);
    this.host.edited(by < 0 ? "undone" : "done again");
    this.draw();
  }

  add(start, end, type = this.type) {
    const mention = { id: freshId(this.labels), start, end, type, attributes: this.schema.defaults() };
    if (this.edit(withMention(this.labels, mention), `marked as ${type}`)) this.select(mention.id);
    else {
      const there = this.labels.mentions.find((m) => sameSpan(m, mention) && m.type === type);
      if (there) this.select(there.id);
    }
  }

  addPending() {
    const span = this.pendingSpan;
    if (span) this.add(...span);
  }

  useType(type) {
    const item = this.selectedItem;
    if (this.pending) {
      this.type = type;
      this.addPending();
    } else if (item?.key !== undefined) {
      const accepted = withAccepted(this.labels, item.key);
      const { id } = takenAs(accepted, item.key);
      this.edit(withType(accepted, id, type, this.schema).labels, `accepted as ${type}`);
      this.select(id);
    } else if (item) this.retype(item.id, type);
    else {
      this.type = type;
      this.host.say(`what you select becomes ${type}`);
    }
    this.host.selectionChanged();
  }

  async retype(id, type) {
    const now = mentionOf(this.labels, id);
    if (now.type === type) return;
    if (this.labels.mentions.some((m) => m.type === type && sameSpan(m, now))) {
      this.host.say("there is such a mention already");
      return;
    }
    const before = this.labels;
    const { labels, lost } = withType(before, id, type, this.schema);
    if (lost.length) {
      const said = (end) => this.text.string.slice(mentionOf(before, end).start, mentionOf(before, end).end);
      const sure = await choose(this.root, {
        title: `As ${type}, this mention can't keep ${lost.length === 1 ? "a relation" : `${lost.length} relations`}`,
        lines: lost.map((r) => `${said(r.head)} ${r.type} ${said(r.tail)}`),
        options: [{ label: `Change the type and remove ${lost.length === 1 ? "it" : "them"}`, value: true }, { label: "Leave everything as it is", value: false }],
        near: this.boxOf(id),
      });
      if (!sure || this.labels !== before) return;
    }
    this.edit(labels, `now ${type}`);
  }

  cycleAttribute(by) {
    const [attribute] = this.schema.attributes;
    if (!attribute || !this.selectedItem) return;
    const at = attribute.values.indexOf(this.selectedItem.attributes?.[attribute.name] ?? attribute.default);
    this.setAttribute(attribute.name, attribute.values[(at + by + attribute.values.length) % attribute.values.length]);
  }

  setAttribute(name, value) {
    let labels = this.labels;
    let { id } = this.selected;
    if (this.selectedItem.key !== undefined) {
      labels = withAccepted(labels, id);
      ({ id } = takenAs(labels, id));
    }
    const attributes = { ...mentionOf(labels, id).attributes, [name]: value };
    this.edit(withChanged(labels, id, { attributes }), value);
    this.select(id);
  }

  async resized(id, start, end) {
    const mention = mentionOf(this.labels, id);
    if (!mention || (mention.start === start && mention.end === end)) return;
    if (mention.fragments?.length) {
      const before = this.labels;
      const sure = await choose(this.root, {
        title: "This mention has several parts: resized, it is one stretch",
        options: [{ label: "Make it one stretch", value: true }, { label: "Leave it as it is", value: false }],
        near: this.boxOf(id),
      });
      if (!sure || this.labels !== before) return;
    }
    if (this.labels.mentions.some((m) => m.id !== id && m.start === start && m.end === end && m.type === mention.type)) {
      return void this.host.say("there is such a mention already");
    }
    this.edit(withPlace(this.labels, id, start, end), this.text.string.slice(start, end));
  }

  remove() {
    const relation = this.selectedRelation;
    if (relation) return void this.edit(withoutRelation(this.labels, relationId(relation)), "relation deleted");
    if (this.selected?.kind === "arc" || this.selectedItem?.key !== undefined) return this.reject();
    const mention = this.selectedMention;
    if (!mention) return;
    const next = this.inOrder().find((i) => i.start > mention.start)?.id ?? null;
    const lost = this.labels.relations.filter((r) => r.head === mention.id || r.tail === mention.id).length;
    this.edit(withoutMention(this.labels, mention.id), lost ? `mention deleted, and its relations (${lost})` : "mention deleted");
    this.select(next !== null && this.page.items.has(next) ? next : null);
  }

  async occurrences() {
    const mention = this.selectedMention;
    if (!mention) return this.host.say("select a mention first");
    const what = this.text.string.slice(mention.start, mention.end);
    const found = (how) =>
      this.text.occurrences(what, how).filter(([start, end]) => !this.labels.mentions.some((m) => m.type === mention.type && m.start < end && start < m.end));
    const ways = [
      ["whole words, any case", { sameCase: false, wholeWords: true }],
      ["whole words, the same case", { sameCase: true, wholeWords: true }],
      ["anywhere, any case", { sameCase: false, wholeWords: false }],
      ["anywhere, the same case", { sameCase: true, wholeWords: false }],
    ].map(([label, how]) => ({ label, spans: found(how) }));
    if (!ways.some((w) => w.spans.length)) return this.host.say("there are no others");
    const spans = await choose(this.root, {
      title: `Mark as ${mention.type} what else reads like this`,
      options: ways.filter((w) => w.spans.length).map((w) => ({ label: `${w.spans.length} more: ${w.label}`, value: w.spans })),
      near: this.boxOf(mention.id),
    });
    if (!spans) return undefined;
    let labels = this.labels;
    for (const [start, end] of spans) {
      labels = withMention(labels, { id: freshId(labels), start, end, type: mention.type, attributes: this.schema.defaults() }) ?? labels;
    }
    return this.edit(labels, `${spans.length} marked`);
  }

  /* ---- relations ---- */

  /* Types that may hold between two items, as drawn, or turned round where only that fits. */
  fitting(head, tail) {
    const [a, b] = [this.page.items.get(head), this.page.items.get(tail)];
    const straight = this.schema.allowed(a.type, b.type);
    return straight.length ? { head, tail, types: straight } : { head: tail, tail: head, types: this.schema.allowed(b.type, a.type) };
  }

  beginRelation() {
    const id = this.selected?.kind === "mention" ? this.selected.id : null;
    if (id === null) return this.host.say("select a mention first, then press r");
    const here = this.page.items.get(id);
    const targets = this.inOrder().filter((i) => i.id !== id && this.fitting(id, i.id).types.length);
    if (!targets.length) return this.host.say(`nothing here may be related to a ${here.type}`);
    targets.sort((a, b) => Math.abs(a.start - here.start) - Math.abs(b.start - here.start));
    const letters = hintLetters(targets.length);
    this.relating = { id, typed: "", hints: new Map(targets.map((t, i) => [letters[i], t.id])) };
    this.page.element.classList.add("choosing");
    this.drawHints();
    return this.host.say("the letter of the other mention, or click it; Esc to leave");
  }

  endRelation() {
    this.relating = null;
    this.page.element.classList.remove("choosing");
    this.drawHints();
  }

  relationKey(event) {
    const key = event.key;
    if (key === "Backspace") this.relating.typed = "";
    else if (key.length === 1) this.relating.typed += key.toLowerCase();
    const { id, typed, hints } = this.relating;
    const target = hints.get(typed);
    if (target !== undefined) {
      this.endRelation();
      this.related(id, target);
    } else if (![...hints.keys()].some((h) => h.startsWith(typed))) this.relating.typed = "";
    this.drawHints();
  }

  async related(from, to) {
    const { head, tail, types } = this.fitting(from, to);
    if (!types.length) {
      const kind = (id) => this.page.items.get(id).type;
      return this.host.say(`the schema knows no relation between ${kind(from)} and ${kind(to)}`);
    }
    const before = this.labels;
    const type = types.length === 1 ? types[0] : await choose(this.root, { title: "Which relation?", options: types.map((t) => ({ label: t, value: t })), near: this.boxOf(to) });
    return type && this.labels === before ? this.relate(head, tail, type) : undefined;
  }

  /* Relate two items; suggested ones are accepted. */
  relate(head, tail, type) {
    let { labels } = this;
    const real = [head, tail].map((id) => {
      if (mentionOf(labels, id)) return id;
      labels = withAccepted(labels, id);
      return takenAs(labels, id).id;
    });
    const relation = { head: real[0], tail: real[1], type };
    if (!this.edit(withRelation(labels, relation, this.schema), `related: ${type}`)) this.host.say("they are related so already");
    if (this.page.items.has(real[0])) this.select(real[0]);
  }

  invert() {
    const relation = this.selectedRelation;
    if (!relation) return;
    const turned = { ...relation, head: relation.tail, tail: relation.head };
    const kind = (id) => mentionOf(this.labels, id).type;
    if (!this.schema.allowed(kind(turned.head), kind(turned.tail)).includes(relation.type)) {
      this.host.say(`${relation.type} can't hold the other way round`);
    } else if (this.labels.relations.some((r) => relationId(r) === relationId(turned))) this.host.say("it is there the other way round, too");
    else if (this.edit({ ...this.labels, relations: this.labels.relations.map((r) => (r === relation ? turned : r)) }, "turned round")) {
      this.pickArc(relationId(turned));
    }
  }

  /* ---- suggestions ---- */

  get openCount() {
    return openSuggestions(this.labels).length;
  }

  nextSuggestion(after = null) {
    const open = openSuggestions(this.labels);
    if (!open.length) return void this.host.say("no suggestion is open");
    const from = after ?? (this.selectedItem ? this.selectedItem.start : -1);
    const next = open.find((s) => s.start !== undefined && s.start >= from && s.key !== this.selected?.id) ?? open.find((s) => s.key !== this.selected?.id) ?? open[0];
    if (next.start !== undefined) this.select(next.key);
    else this.pickArc(next.key);
  }

  get selectedSuggestion() {
    return openSuggestions(this.labels).find((s) => s.key === this.selected?.id);
  }

  accept() {
    this.judge((s) => {
      if (s.start !== undefined) return this.edit(withAccepted(this.labels, s.key), "accepted");
      const labels = withAcceptedRelation(this.labels, s.key, this.schema);
      return labels ? this.edit(labels, "accepted") : this.edit(withRejected(this.labels, s.key), "one of its mentions is not there, or has another type: rejected");
    });
  }

  reject() {
    this.judge((s) => this.edit(withRejected(this.labels, s.key), "rejected"));
  }

  judge(decide) {
    const suggestion = this.selectedSuggestion;
    if (!suggestion) return void this.nextSuggestion();
    if (decide(suggestion) && this.openCount) this.nextSuggestion(suggestion.start);
  }

  /* All open suggestions of at least that score, as accepted in bulk. */
  acceptAll(score) {
    if (this.host.sheet.test) return void this.host.say("this document is in the test set: decide one by one");
    let labels = this.labels;
    let count = 0;
    // Where two say different things of one place, a person decides.
    const open = labels.suggestedMentions.filter((s) => s.outcome === "open");
    const contradicted = new Set(open.filter((s) => open.some((o) => o !== s && sameSpan(o, s))).map((s) => s.key));
    for (const s of openSuggestions(labels)) {
      const keys = s.start !== undefined ? [s.key] : [s.head, s.tail];
      if ((s.score ?? 1) < score || !isOpen(labels, s.key) || keys.some((k) => contradicted.has(k))) continue;
      const accepted = s.start !== undefined ? withAccepted(labels, s.key, "bulk") : withAcceptedRelation(labels, s.key, this.schema, "bulk");
      if (accepted) count += 1;
      labels = accepted ?? labels;
    }
    if (count) {
      this.edit(labels, `${count} accepted together`);
      if (contradicted.size) this.host.say(`${count} accepted together; where versions contradict each other, decide yourself`);
    }
    else this.host.say("no open suggestion scores that much");
  }

  rejectAll() {
    const open = openSuggestions(this.labels);
    const labels = open.reduce((rest, s) => withRejected(rest, s.key), this.labels);
    if (open.length) this.edit(labels, `${open.length} rejected`);
  }

  /* ---- gestures ---- */

  selectionChosen(start, end, exact) {
    this.finding = null;
    const span = exact ? this.text.trimmed(start, end) : this.text.snapped(start, end);
    if (span) this.add(...span);
    this.page.element.focus({ preventScroll: true });
  }

  /* Whether [start, end) lies within an item. */
  holds(id, start, end) {
    const item = this.page.items.get(id);
    return Boolean(item) && item.start <= start && end <= item.end;
  }

  missed() {
    this.host.say("no mention there: nothing is related (with Alt, words are marked from inside a mention on)");
  }

  clicked(ids, offset, clicks = 1) {
    if (clicks > 2) return;
    this.page.element.focus({ preventScroll: true });
    this.finding = null;
    if (this.relating) {
      const target = ids.findLast((id) => [...this.relating.hints.values()].includes(id));
      const { id } = this.relating;
      this.endRelation();
      if (target !== undefined) this.related(id, target);
    } else if (ids.length) {
      // A click on what is selected goes to the mention around it.
      const at = ids.indexOf(this.selected?.id);
      this.select(ids.at(at > 0 ? at - 1 : -1));
    } else if (offset !== null && this.text.words) {
      const word = this.text.wordAt(offset);
      this.selected = null;
      const place = [this.text.starts[word], this.text.ends[word]];
      this.pending = { anchor: place, focus: place };
      if (clicks === 2) this.addPending();
      else this.drawSelection();
    }
  }

  key(event) {
    if (!this.text) return;
    const key = keyOf(event);
    // While another document is on its way, keys only go on from there.
    if (this.host.locked && ![".", ","].includes(key)) return void event.preventDefault();
    let run = KEYS.get(key);
    if (this.finding && !event.ctrlKey && !event.metaKey && !event.altKey) run = () => this.findKey(event);
    else if (this.relating && key !== "Escape") run = () => this.relationKey(event);
    else if (!run && this.types.has(key)) run = () => this.useType(this.types.get(key));
    if (!run || (this.relating && (event.ctrlKey || event.metaKey || (event.key.length > 1 && !["Backspace", "Escape"].includes(event.key))))) return;
    event.preventDefault();
    event.stopPropagation();
    run(this);
  }

  finish(status) {
    this.host.finish(status);
  }

  go(by) {
    this.host.go(by);
  }

  toggle(panel) {
    this.host.toggle(panel);
  }

  writeNote() {
    this.host.writeNote();
  }

  boxOf(id) {
    return this.page.anchorsOf(id)[0]?.first.getBoundingClientRect();
  }
}
