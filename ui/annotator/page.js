/* A note on the screen: a line of text an element, mentions marked in place. A line is drawn again only when
   something on it has changed. Text nodes know their offset (`_at`); tags are no text. */

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

class NotePage {
  constructor(schema, label, { keys = true } = {}) {
    this.schema = schema;
    this.lines = [];
    this.text = element("div", "lines");
    this.overlay = element("div", "overlay");
    this.element = element("div", "page", this.text, this.overlay);
    if (keys) this.element.tabIndex = 0;
    this.element.setAttribute("role", keys ? "application" : "document");
    this.element.setAttribute("aria-label", label);
  }

  load(string) {
    this.lines = [];
    const rows = [];
    let at = 0;
    for (const { 0: ending, index } of [...string.matchAll(/\r\n|\n|\r/g), { 0: "", index: string.length }]) {
      const line = { start: at, end: index, drawn: null, texts: [], anchors: new Map(), element: element("div", "line") };
      line.element._line = line;
      this.lines.push(line);
      rows.push(line.element);
      at = index + ending.length;
    }
    this.string = string;
    this.text.replaceChildren(...rows);
  }

  /* Draw items (mentions and suggestions, as `itemsOf` gives them). */
  draw(items) {
    this.items = new Map(items.map((i) => [i.id, i]));
    const pieces = this.lines.map(() => []);
    for (const item of items) {
      const parts = item.fragments?.length ? item.fragments : [[item.start, item.end]];
      for (const [start, end] of parts) {
        for (let n = this.lineAt(start); n < this.lines.length && this.lines[n].start < end; n++) {
          const line = this.lines[n];
          const piece = { item, start: Math.max(start, line.start), end: Math.min(end, line.end) };
          if (piece.start < piece.end) pieces[n].push({ ...piece, opens: piece.start === item.start, closes: piece.end === item.end });
        }
      }
    }
    this.lines.forEach((line, n) => {
      const drawn = pieces[n].map((p) => `${p.item.id} ${p.start} ${p.end} ${p.item.look} ${p.item.tag} ${p.item.told}`).join("\n");
      if (drawn !== line.drawn) {
        this.drawLine(line, pieces[n]);
        line.drawn = drawn;
      }
    });
  }

  drawLine(line, pieces) {
    line.texts = [];
    line.anchors = new Map();
    const made = [];
    const cut = [...new Set([line.start, line.end, ...pieces.flatMap((p) => [p.start, p.end])])].sort((a, b) => a - b);
    for (let i = 0; i + 1 < cut.length; i++) {
      const [start, end] = [cut[i], cut[i + 1]];
      const text = document.createTextNode(this.string.slice(start, end));
      text._at = start;
      line.texts.push(text);
      // The longest mention lies below, the shortest on top.
      const over = pieces.filter((p) => p.start <= start && end <= p.end).sort((a, b) => b.end - b.start - (a.end - a.start));
      if (!over.length) {
        made.push(text);
        continue;
      }
      const span = this.segment(text, over, start, end);
      made.push(span);
      for (const p of over) {
        const anchor = line.anchors.get(p.item.id) ?? { first: span };
        anchor.last = span;
        line.anchors.set(p.item.id, anchor);
      }
      for (const p of over.filter((p) => p.closes && p.end === end).reverse()) made.push(this.tag(p.item));
    }
    line.element.replaceChildren(...made);
  }

  segment(text, over, start, end) {
    const top = over.at(-1);
    const span = element("span", `seg ${top.item.look}`, text);
    span._ids = over.map((p) => p.item.id);
    span.dataset.id = top.item.id;
    span.style.setProperty("--colour", this.schema.colour(top.item.type));
    if (top.start === start && top.opens) span.classList.add("opens");
    if (top.end === end && top.closes) span.classList.add("closes");
    const below = over.slice(0, -1).reverse();
    // Mentions around this one: a band each below it.
    if (below.length) span.style.boxShadow = below.map((p, i) => `0 ${3 * (i + 1)}px 0 ${this.schema.colour(p.item.type)}`).join(", ");
    const opening = over.filter((p) => p.opens && p.start === start);
    if (opening.length) {
      span.setAttribute("role", "button");
      span.setAttribute("aria-label", opening.map((p) => p.item.told).join("; "));
    }
    return span;
  }

  tag(item) {
    const tag = element("span", `tag ${item.look}`, item.tag);
    tag.dataset.id = item.id;
    tag._ids = [item.id];
    tag.style.setProperty("--colour", this.schema.colour(item.type));
    tag.setAttribute("aria-hidden", "true");
    return tag;
  }

  /* The line that holds an offset. */
  lineAt(offset) {
    let low = 0;
    let high = this.lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.lines[middle].start <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  anchorsOf(id) {
    const item = this.items.get(id);
    if (!item) return [];
    const found = [];
    for (let n = this.lineAt(item.start); n < this.lines.length && this.lines[n].start < item.end; n++) {
      const anchor = this.lines[n].anchors.get(id);
      if (anchor) found.push({ line: this.lines[n], n, ...anchor });
    }
    return found;
  }

  select(ids) {
    for (const old of this.text.querySelectorAll(".selected")) old.classList.remove("selected");
    for (const id of ids) {
      for (const { line } of this.anchorsOf(id)) {
        for (const part of line.element.children) if (part._ids?.includes(id) && (part.classList.contains("seg") || part._ids[0] === id)) part.classList.add("selected");
      }
    }
  }

  reveal(id) {
    this.anchorsOf(id)[0]?.first.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /* A DOM range over [start, end). */
  range(start, end) {
    const range = document.createRange();
    const [from, to] = [this.place(start, false), this.place(end, true)];
    range.setStart(from.node, from.offset);
    range.setEnd(to.node, to.offset);
    return range;
  }

  place(offset, end) {
    const line = this.lines[this.lineAt(end ? Math.max(offset - 1, 0) : offset)];
    for (const node of line.texts) {
      const length = node.data.length;
      if (offset < node._at + length || (end && offset === node._at + length)) return { node, offset: Math.max(offset - node._at, 0) };
    }
    const last = line.texts.at(-1);
    return last ? { node: last, offset: last.data.length } : { node: line.element, offset: 0 };
  }

  /* The offset of a place in the DOM, as a selection or a click gives it; null outside of the text. */
  offsetOf(node, offset) {
    if (!this.text.contains(node)) return null;
    if (node._at !== undefined) return node._at + offset;
    const tag = (node.nodeType === Node.TEXT_NODE ? node.parentElement : node).closest(".tag");
    if (tag) return this.items.get(tag.dataset.id).end;
    const child = node.childNodes[offset];
    const texts = (part) => (part._at !== undefined ? [part] : [...(part.childNodes ?? [])].flatMap(texts));
    for (let part = child; part; part = part.nextSibling) {
      const [first] = texts(part);
      if (first) return first._at;
      if (part._line) return part._line.start;
    }
    const line = (node.closest?.(".line") ?? this.lines.at(-1).element)._line;
    return line.end;
  }

  offsetAt(x, y) {
    const caret = document.caretPositionFromPoint?.(x, y);
    if (caret) return this.offsetOf(caret.offsetNode, caret.offset);
    const range = document.caretRangeFromPoint?.(x, y);
    return range ? this.offsetOf(range.startContainer, range.startOffset) : null;
  }

  /* Rectangles of [start, end), relative to the page. */
  rectangles(start, end) {
    const origin = this.element.getBoundingClientRect();
    return [...this.range(start, end).getClientRects()]
      .filter((r) => r.width > 0)
      .map((r) => ({ left: r.left - origin.left, right: r.right - origin.left, top: r.top - origin.top, bottom: r.bottom - origin.top }));
  }
}

/* Mentions and open suggestions as the page draws them. */
function itemsOf(labels, schema) {
  const item = (id, m, suggested) => {
    const unusual = schema.unusual(m);
    const look = `${schema.negative(m) ? "is-negative" : unusual.length ? "is-unusual" : ""} ${suggested ? "is-suggested" : ""} ${m.origin === "bulk" ? "is-bulk" : ""} ${m.differs ? "differs" : ""}`.trim();
    const said = suggested ? [m.by ?? m.score?.toFixed(2)] : [];
    const tag = [m.type, ...unusual, ...said].filter(Boolean).join(" · ");
    return { id, start: m.start, end: m.end, fragments: m.fragments, type: m.type, look, tag, told: `${suggested ? "suggestion: " : ""}${tag}` };
  };
  return [
    ...labels.mentions.map((m) => item(m.id, m, false)),
    ...labels.suggestedMentions.filter((s) => s.outcome === "open").map((s) => item(s.key, s, true)),
  ];
}

/* Relations and open suggestions of them, between items that are drawn. */
function arcsOf(labels, shown) {
  const end = (key) => {
    const taken = takenAs(labels, key);
    return taken ? taken.id : key;
  };
  const relations = labels.relations.map((r) => ({ id: relationId(r), head: r.head, tail: r.tail, type: r.type, look: `${r.origin === "bulk" ? "is-bulk" : ""} ${r.differs ? "differs" : ""}` }));
  const suggested = labels.suggestedRelations
    .filter((s) => s.outcome === "open")
    .map((s) => ({ id: s.key, head: end(s.head), tail: end(s.tail), type: s.by ? `${s.type} · ${s.by}` : s.type, look: "is-suggested" }));
  return [...relations, ...suggested].filter((a) => shown.has(a.head) && shown.has(a.tail));
}
