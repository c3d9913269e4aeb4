/* Versions of one note side by side, to read only: what differs between them stands out, a click on a mention picks it. */

class Panes {
  constructor(schema, string, versions, onPick) {
    this.element = element("div", "panes");
    this.drawn = versions.map(({ title, labels }, i) => {
      const page = new NotePage(schema, title, { keys: false });
      page.load(string);
      const arcs = new Arcs(page);
      const others = versions.filter((_, j) => j !== i).map((v) => v.labels);
      const shown = differing(labels, others, schema);
      this.element.append(element("section", "pane", element("h4", "", title), page.element));
      if (onPick) {
        page.element.addEventListener("click", (event) => {
          const ids = event.target.closest(".seg, .tag")?._ids;
          if (ids) onPick(i, labels.mentions.find((m) => m.id === ids.at(-1)));
        });
      }
      return { page, arcs, shown };
    });
    this.schema = schema;
    this.drawn.forEach(({ page, shown }) => page.draw(itemsOf(shown, schema)));
    this.watcher = new ResizeObserver(() => this.drawArcs());
    this.watcher.observe(this.element);
  }

  drawArcs() {
    for (const { page, arcs, shown } of this.drawn) arcs.draw(arcsOf(shown, page.items));
  }

  close() {
    this.watcher.disconnect();
    this.element.remove();
  }
}

/* What identifies a mention, and a relation, whatever the ids: to find what two versions have in common. */
function mentionKey(m, schema) {
  return JSON.stringify([m.start, m.end, m.type, schema.attributes.map((a) => m.attributes?.[a.name] ?? a.default)]);
}

function relationKey(labels, r, schema) {
  const spans = [r.head, r.tail].map((id) => mentionOf(labels, id)).map((m) => `${m.start} ${m.end} ${m.type}`);
  return JSON.stringify([r.type, ...(schema.symmetric(r.type) ? spans.sort() : spans)]);
}

function differing(labels, others, schema) {
  const known = others.map((o) => ({
    mentions: new Set(o.mentions.map((m) => mentionKey(m, schema))),
    relations: new Set(o.relations.map((r) => relationKey(o, r, schema))),
  }));
  return {
    ...labels,
    mentions: labels.mentions.map((m) => ({ ...m, differs: !known.every((k) => k.mentions.has(mentionKey(m, schema))) })),
    relations: labels.relations.map((r) => ({ ...r, differs: !known.every((k) => k.relations.has(relationKey(labels, r, schema))) })),
  };
}
