/* The annotator: a queue of documents, one on the desk, what is unsaved in the outbox. */

const AUTOSAVE = 400; // milliseconds after an edit
const IDLE = 30; // seconds without a hand on mouse or keys that still count as work

class Annotator {
  constructor(value) {
    this.mode = value.mode;
    this.schema = new LabelSchema(value.schema);
    this.value = value;
    this.queue = value.queue;
    this.at = -1;
    this.kept = new Map(); // document → {sheet, history} not yet acknowledged
    this.pasts = new Map(); // document → {sheet, history} as last saved, for undo when it is opened again
    this.finished = []; // when documents were finished, for the pace
    this.build();
    this.desk = new Desk(this.root, this.schema, this, value.focus);
    this.sheetBox.append(this.desk.page.element);
    this.outbox = new Outbox({ onState: (s) => this.showState(s), onSaved: (p, a) => this.saved(p, a), onConflict: (p, c) => this.conflict(p, c), onRefused: (p, told) => this.refused(p, told) });
    this.buildTypes();
    // A click beside everything leaves the keys with the note.
    this.root.addEventListener("click", (event) => {
      if (!this.root.querySelector(".menu") && !event.target.closest("button, textarea, input")) this.desk.page.element.focus({ preventScroll: true });
    });
    for (const kind of ["pointerdown", "keydown"]) this.root.addEventListener(kind, () => this.worked(), true);
    this.showPanels();
    this.open(Math.min(value.at, this.queue.length - 1));
  }

  /* ---- the frame ---- */

  build() {
    const button = (label, title, run, className = "") => {
      const made = element("button", className, label);
      made.title = title;
      made.addEventListener("click", () => {
        run();
        // What was pressed may be gone: the keys go on with the note.
        if (!this.root.querySelector(".menu")) this.desk.page.element.focus({ preventScroll: true });
      });
      return made;
    };
    this.name = element("span", "name");
    this.chips = element("span", "chips");
    this.progress = element("span", "progress");
    this.state = element("span", "state");
    this.state.setAttribute("role", "status");
    const bar = element(
      "div", "bar",
      button("‹", "Previous document (,)", () => this.go(-1), "previous"),
      this.name, this.chips, this.progress, this.state,
      button("›", "Next document (.)", () => this.go(1), "next"),
    );
    this.typeBar = element("div", "types");
    this.banner = element("div", "banner");
    this.banner.hidden = true;
    this.panesBox = element("div", "versions");
    this.sheetBox = element("div", "sheet");
    this.side = element("aside", "side");
    this.live = element("div", "live");
    this.live.setAttribute("aria-live", "polite");
    this.toast = element("div", "toast");
    this.root = element("div", "annotator", bar, this.typeBar, this.banner, this.panesBox, element("div", "body", this.sheetBox, this.side), this.toast, this.live);
    this.button = button;
  }

  buildTypes() {
    this.typeBar.replaceChildren(
      ...this.schema.entities
        .filter((t) => !this.value.focus.length || this.value.focus.includes(t.name))
        .map((type) => {
          const keys = [...this.desk.types].filter(([, name]) => name === type.name).map(([key]) => key);
          const made = this.button(type.name, type.help, () => {
            this.desk.useType(type.name);
            this.desk.page.element.focus({ preventScroll: true });
          }, "type");
          made.dataset.type = type.name;
          made.style.setProperty("--colour", type.colour);
          made.append(element("kbd", "", keys.at(-1) ?? ""));
          return made;
        }),
      this.button("Keys ?", "All keys (?)", () => this.toggle("help"), "quiet"),
      this.button("Guidelines", "What each label covers (w)", () => this.toggle("guidelines"), "quiet"),
    );
  }

  /* ---- the queue ---- */

  get item() {
    return this.queue[this.at];
  }

  async go(by) {
    const to = this.goal + by; // where the last key was going, which may not be there yet
    if (to < 0) return this.say("this is the first document of the queue");
    if (to >= this.queue.length) return this.end();
    return this.open(to);
  }

  end() {
    const left = this.queue.findIndex((q) => q.status === "new" || q.status === "draft");
    this.say(left < 0 ? "the queue is done" : "the end of the queue: some documents before are still open");
  }

  async open(at) {
    if (at < 0) return;
    this.goal = at;
    this.outbox.send(0);
    const ticket = (this.ticket = (this.ticket ?? 0) + 1);
    const item = this.queue[at];
    const { model, focus, settings, who } = this.value;
    const request = { document: item.id, model, blind: item.blind, focus, mode: this.mode, settings, who };
    const kept = this.kept.get(item.id);
    if (kept) {
      this.at = at;
      this.show(kept.sheet, kept.history);
      return;
    }
    this.root.classList.add("loading");
    const ahead = this.ahead?.id === item.id ? this.ahead.data : null;
    this.ahead = null;
    let data = null;
    while (!data) {
      try {
        data = await (ahead ?? call("annotate-open", request, { patience: 120000 }));
      } catch (error) {
        if (ticket !== this.ticket) return;
        if (this.sheet) return void this.stay("the server can't be reached: this document stays here, go on with it");
        this.say(error.name === "Error" ? error.message : "the server can't be reached; trying again");
        await new Promise((done) => setTimeout(done, PAUSES.at(-2)));
      }
      if (ticket !== this.ticket) return;
    }
    if (data.problem) return void this.stay(data.problem);
    // By itself: an import that is being written keeps nobody from reading.
    call("annotate-place", request).catch(() => {});
    this.at = at;
    // Where nothing was saved since, undo reaches as far back as before.
    const past = this.pasts.get(item.id);
    const sheet = new Sheet(data, this.schema);
    if (past?.sheet.sameAs(sheet)) this.show(past.sheet, past.history);
    else this.show(sheet);
    if (data.warning) this.tell(data.warning);
    const next = this.queue[at + 1];
    if (next && !this.kept.has(next.id)) {
      const found = { id: next.id, data: call("annotate-open", { ...request, document: next.id, blind: next.blind }, { patience: 120000 }) };
      found.data.catch(() => this.ahead === found && (this.ahead = null));
      this.ahead = found;
    }
  }

  /* Another document could not be had: the one on the desk stays there. */
  stay(told) {
    this.goal = this.at;
    this.root.classList.remove("loading");
    if (this.sheet) this.say(told);
    else this.tell(told);
  }

  show(sheet, history) {
    this.root.classList.remove("loading");
    this.sheet = sheet;
    this.tell("");
    this.panes?.close();
    this.panes = null;
    this.noteBox.value = sheet.note;
    this.showHeader();
    this.desk.load(sheet.text, sheet.first);
    if (history) {
      this.desk.history = history;
      this.desk.draw();
    }
    this.sheetBox.scrollTop = 0;
    if (sheet.versions.length) {
      this.panes = new Panes(this.schema, sheet.string, sheet.versions, (_, mention) => this.takeFrom(mention));
      this.panesBox.replaceChildren(this.panes.element);
    } else this.panesBox.replaceChildren();
    if (sheet.conflict) this.showConflict();
    this.desk.page.element.focus({ preventScroll: true });
    if (this.value.start) this.desk.goTo(sheet.text.toUnits(this.value.start));
    else if (this.mode === "review" || this.desk.openCount) this.desk.nextSuggestion();
  }

  /* A click in another's version: what is suggested from there is accepted, what is here already selected. */
  takeFrom(mention) {
    const suggestion = this.desk.labels.suggestedMentions.find((s) => s.outcome !== "taken" && mentionKey(s, this.schema) === mentionKey(mention, this.schema));
    if (suggestion) this.desk.edit(withAccepted(this.desk.labels, suggestion.key), "accepted");
    const here = this.desk.labels.mentions.find((m) => sameSpan(m, mention) && m.type === mention.type);
    if (here) this.desk.select(here.id);
    this.desk.page.element.focus({ preventScroll: true });
  }

  async finish(status) {
    if (this.locked) return;
    const open = this.desk.openCount;
    if (status === "complete" && open) {
      const choice = await choose(this.root, {
        title: `${open} suggestion${open === 1 ? " is" : "s are"} neither accepted nor rejected`,
        options: [
          { label: "Reject the rest and complete", value: "reject" },
          { label: "Accept the rest in bulk and complete", value: "accept" },
          { label: "Go on with this document", value: null },
        ],
        focus: 2,
      });
      if (!choice) return;
      if (choice === "reject") this.desk.rejectAll();
      else {
        this.desk.acceptAll(0);
        if (this.desk.openCount) return; // it has said what is left to decide
      }
    }
    // What was finished so already, and not changed, makes no new revision.
    if (this.sheet.status !== status) {
      this.sheet.status = status;
      this.finished.push(Date.now());
      this.save(0);
    }
    this.item.status = status;
    this.showHeader();
    this.say(status === "complete" ? "completed" : status);
    const next = this.queue.findIndex((q, i) => i > this.at && (q.status === "new" || q.status === "draft"));
    if (next >= 0) this.open(next);
    else this.end();
  }

  /* ---- saving ---- */

  get locked() {
    return Boolean(this.sheet?.conflict) || this.root.classList.contains("loading");
  }

  edited(told) {
    this.sheet.status = "draft";
    this.item.status = "draft";
    this.save(AUTOSAVE);
    this.showHeader();
    if (told) this.announce(told);
  }

  save(delay) {
    this.kept.set(this.sheet.document, { sheet: this.sheet, history: this.desk.history });
    this.outbox.put(this.sheet.payload(this.desk.labels, this.mode, this.value.who), delay);
  }

  saved(payload, answer) {
    const kept = this.kept.get(payload.document);
    if (!kept) return;
    kept.sheet.base = answer.token;
    if (this.outbox.waiting.has(payload.document)) return;
    this.kept.delete(payload.document);
    this.pasts.set(payload.document, kept);
  }

  refused(payload, told) {
    const kept = this.kept.get(payload.document);
    const name = kept?.sheet.name ?? "a document";
    this.tell(`“${name}” is not saved: ${told}. It is kept here and tried again.`, ...(kept && kept.sheet !== this.sheet ? [this.way(payload.document)] : []));
  }

  way(document) {
    return { label: "Open it", run: () => this.open(this.queue.findIndex((q) => q.id === document)) };
  }

  conflict(payload, { conflict }) {
    const { sheet } = this.kept.get(payload.document);
    if (!conflict) {
      this.tell(`A version of “${sheet.name}” was completed since you opened it.`, {
        label: "Load it (what you decided since is left out)",
        run: () => {
          this.outbox.forget(payload.document);
          this.kept.delete(payload.document);
          this.open(this.queue.findIndex((q) => q.id === payload.document));
        },
      });
      return;
    }
    sheet.conflict = conflict;
    if (this.sheet === sheet) this.showConflict();
    else this.tell(`“${sheet.name}” was changed elsewhere: open it and choose`, this.way(payload.document));
  }

  showConflict() {
    const { sheet } = this;
    const theirs = { title: `Saved meanwhile by ${sheet.conflict.saved_by}`, labels: sheet.read(sheet.conflict.labels) };
    this.panes?.close();
    this.panes = new Panes(this.schema, sheet.string, [theirs, { title: "Yours, not saved", labels: this.desk.labels }]);
    this.panesBox.replaceChildren(this.panes.element);
    this.tell(
      "This document was changed elsewhere since you opened it. Nothing was overwritten: choose.",
      { label: "Keep mine, as the next revision", run: () => this.settle(true) },
      { label: "Take theirs (mine stays in undo)", run: () => this.settle(false, theirs.labels) },
    );
  }

  settle(mine, theirs) {
    const { sheet } = this;
    const { token, status, note, annotated } = sheet.conflict;
    sheet.base = token;
    sheet.conflict = null;
    this.panes.close();
    this.panes = null;
    this.tell("");
    this.outbox.forget(sheet.document);
    if (mine) this.save(0);
    else {
      this.kept.delete(sheet.document);
      sheet.status = status;
      sheet.note = note;
      sheet.annotated = annotated;
      sheet.model = "";
      this.noteBox.value = note;
      this.item.status = status;
      this.desk.history.push({ ...EMPTY, mentions: theirs.mentions, relations: theirs.relations });
      this.desk.draw();
    }
    this.showHeader();
    this.desk.page.element.focus({ preventScroll: true });
  }

  worked() {
    const now = performance.now();
    if (this.sheet && this.last) this.sheet.seconds += Math.min((now - this.last) / 1000, IDLE);
    this.last = now;
  }

  /* ---- what is told ---- */

  showState({ state, waiting, problem }) {
    const words = {
      saved: "saved", saving: "saving …", conflict: "changed elsewhere",
      offline: `offline: ${waiting === 1 ? "a document waits" : `${waiting} documents wait`} here to be saved`,
      problem: `not saved: ${problem}`, refused: "not saved: see above the note",
    };
    this.state.textContent = words[state];
    this.state.className = `state ${state}`;
  }

  showHeader() {
    const { sheet } = this;
    const done = this.queue.filter((q) => q.status !== "new" && q.status !== "draft").length;
    this.name.textContent = sheet.name;
    this.chips.replaceChildren(element("span", `chip ${sheet.status}`, sheet.status === "new" ? "not begun" : sheet.status));
    if (sheet.annotated) {
      const wider = this.button(`only ${sheet.annotated.entities.join(", ")}`, "What was looked for; press it if you look for all types", () => {
        sheet.annotated = null;
        this.edited("all types");
      }, "chip only");
      this.chips.append(wider);
    }
    if (sheet.blind) this.chips.append(element("span", "chip", "without suggestions"));
    this.progress.textContent = `${this.at + 1} of ${this.queue.length} · ${done} done${this.pace()}`;
  }

  pace() {
    const recent = this.finished.slice(-10);
    if (recent.length < 2) return "";
    const minutes = (recent.at(-1) - recent[0]) / 60000;
    return ` · ${((recent.length - 1) / Math.max(minutes, 1 / 600)).toFixed(minutes < 1 ? 0 : 1)} a minute`;
  }

  selectionChanged() {
    for (const made of this.typeBar.querySelectorAll(".type")) made.setAttribute("aria-pressed", String(made.dataset.type === this.desk.type));
    if (this.sheet) this.showSelected();
  }

  say(told) {
    this.toast.textContent = told;
    this.toast.classList.add("shown");
    clearTimeout(this.toasting);
    this.toasting = setTimeout(() => this.toast.classList.remove("shown"), 3000);
    this.announce(told);
  }

  announce(told) {
    this.live.textContent = told;
  }

  tell(told, ...actions) {
    this.banner.hidden = !told;
    this.banner.replaceChildren(told, ...actions.map((a) => this.button(a.label, "", a.run)));
  }

  /* ---- the side ---- */

  showPanels() {
    this.selectedBox = element("section", "selected-box");
    this.suggestionBox = element("section", "suggestion-box");
    this.noteBox = element("textarea", "document-note");
    this.noteBox.rows = 2;
    this.noteBox.placeholder = "A note on this document (m)";
    this.noteBox.setAttribute("aria-label", "A note on this document");
    this.noteBox.addEventListener("input", () => {
      if (this.locked) return;
      this.sheet.note = this.noteBox.value;
      this.edited("");
    });
    this.noteBox.addEventListener("keydown", (event) => event.key === "Escape" && this.desk.page.element.focus());
    const key = (label, k) => [label, " ", element("kbd", "", k)];
    const button = (label, k, title, run, className) => {
      const made = this.button("", title, run, className);
      made.append(...key(label, k));
      return made;
    };
    const document = element(
      "section", "document-box",
      element(
        "div", "row",
        button("Complete", "c", "All of it is right: goes to gold", () => this.finish("complete"), "primary complete"),
        button("Skip", "z", "Nothing to label, or not for now", () => this.finish("skipped"), "skip"),
        button("Flag", "f", "For somebody else to look at", () => this.finish("flagged"), "flag"),
      ),
      this.noteBox,
    );
    this.panel = element("section", "panel");
    this.panel.hidden = true;
    this.side.replaceChildren(document, this.selectedBox, this.suggestionBox, this.panel);
  }

  showSelected() {
    const item = this.desk.selectedItem;
    const arc = this.desk.selected?.kind === "arc" ? this.desk.arcs.arcs.find((a) => a.id === this.desk.selected.id) : null;
    const parts = [];
    if (arc) {
      const said = (id) => this.words(this.desk.page.items.get(id));
      parts.push(element("p", "said", said(arc.head), element("b", "", ` ${arc.type} `), said(arc.tail)));
      if (this.desk.selectedRelation) parts.push(element("div", "row", this.button("Turn round (i)", "", () => this.desk.invert()), this.button("Delete (Del)", "", () => this.desk.remove())));
    } else if (item) {
      parts.push(element("p", "said", this.words(item)));
      for (const a of this.schema.attributes) {
        const now = item.attributes?.[a.name] ?? a.default;
        parts.push(
          element("div", "row values", ...a.values.map((value) => {
            const made = this.button(value, a.name, () => this.desk.setAttribute(a.name, value), "value");
            made.setAttribute("aria-pressed", String(value === now));
            return made;
          })),
        );
      }
      if (item.key === undefined) {
        parts.push(
          element("div", "row",
            this.button("Relate (r)", "", () => this.desk.beginRelation()),
            this.button("All occurrences (o)", "", () => this.desk.occurrences()),
            this.button("Delete (Del)", "", () => this.desk.remove()),
          ),
        );
      }
    }
    if (this.desk.selectedSuggestion) {
      parts.push(element("div", "row", this.button("Accept (a)", "", () => this.desk.accept(), "accept"), this.button("Reject (x)", "", () => this.desk.reject(), "reject")));
    }
    if (!parts.length) parts.push(element("p", "hint-text", "Select words to mark them, or a mention to change it. The keys: ?"));
    this.selectedBox.replaceChildren(...parts);
    this.showSuggestions();
  }

  words(item) {
    const said = this.sheet.string.slice(item.start, item.end).replace(/\s+/g, " ");
    return said.length > 80 ? `${said.slice(0, 79)}…` : said;
  }

  showSuggestions() {
    const open = openSuggestions(this.desk.labels);
    this.suggestionBox.hidden = !open.length;
    if (!open.length) return;
    const score = this.score ?? 0.9;
    const above = () => openSuggestions(this.desk.labels).filter((s) => (s.score ?? 1) >= (this.score ?? 0.9)).length;
    const take = this.button(`Accept ${above()}`, "As accepted in bulk: never in a test set", () => this.desk.acceptAll(this.score ?? 0.9), "accept-above");
    const slider = element("input", "threshold");
    Object.assign(slider, { type: "range", min: "0", max: "1", step: "0.05", value: String(score) });
    slider.setAttribute("aria-label", "Lowest score to accept");
    const shown = element("output", "", score.toFixed(2));
    slider.addEventListener("input", () => {
      this.score = Number(slider.value);
      shown.textContent = this.score.toFixed(2);
      take.textContent = `Accept ${above()}`;
    });
    const scored = open.some((s) => s.score != null);
    this.suggestionBox.replaceChildren(
      element("p", "said", `${open.length} suggestion${open.length === 1 ? "" : "s"} open`),
      ...(scored ? [element("label", "row", "score at least ", slider, shown, take)] : []),
      element("div", "row", this.button("Accept all (A)", "As accepted in bulk", () => this.desk.acceptAll(0)), this.button("Reject all (X)", "", () => this.desk.rejectAll())),
    );
  }

  writeNote() {
    this.noteBox.focus();
  }

  toggle(which) {
    const shown = !this.panel.hidden && this.panel.dataset.which === which;
    this.panel.hidden = shown;
    this.panel.dataset.which = which;
    if (shown) return;
    this.panel.replaceChildren(...(which === "help" ? this.help() : this.guidelines()));
    this.panel.scrollIntoView({ block: "nearest" });
  }

  help() {
    const groups = [...new Set(COMMANDS.map(([group]) => group))];
    return groups.flatMap((group) => [
      element("h4", "", group),
      element("dl", "", ...COMMANDS.filter(([g]) => g === group).flatMap(([, key, told]) => [element("dt", "", element("kbd", "", keyName(key))), element("dd", "", told)])),
    ]);
  }

  guidelines() {
    const kinds = this.schema.entities.map((t) => {
      const name = element("dt", "kind", t.name);
      name.style.setProperty("--colour", t.colour);
      return [name, element("dd", "", t.help)];
    });
    const relations = this.schema.relations.map((r) => [
      element("dt", "", r.name),
      element("dd", "", `${r.head.join(", ")} ${r.symmetric ? "↔" : "→"} ${r.tail.join(", ")}${r.help ? `: ${r.help}` : ""}`),
    ]);
    return [
      element("h4", "", "Mentions"), element("dl", "", ...kinds.flat()),
      element("h4", "", "Relations"), element("dl", "", ...relations.flat()),
      element("div", "prose", this.value.schema.guidelines),
    ];
  }
}

/* ---- in the page: a new queue makes a new annotator, once nothing of the old one is unsaved ---- */

let annotator = null;

async function begin() {
  const value = props.value;
  if (!value || !value.queue || value.id === annotator?.value.id) return;
  if (annotator?.outbox.waiting.size) annotator.say("the new queue begins when everything here is saved");
  while (annotator?.outbox.waiting.size) await new Promise((done) => setTimeout(done, 200));
  if (value !== props.value) return;
  if (annotator) {
    annotator.ticket += 1;
    annotator.outbox.close();
  }
  mount.replaceChildren();
  if (!value.queue.length) {
    mount.append(element("div", "empty", element("p", "", value.empty)));
    annotator = null;
    return;
  }
  annotator = new Annotator(value);
  annotator.root.annotator = annotator;
  mount.append(annotator.root);
  annotator.desk.draw();
}

watch("value", begin);
begin();
