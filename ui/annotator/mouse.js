/* The mouse on a NotePage: select to add, click to select, handles to resize, drag from mention to mention to relate. */

class Mouse {
  /* `desk` has: text, labels, selectionChosen(start, end, exact), clicked(id, offset), resized(id, start, end, exact), related(head, tail) */
  constructor(page, desk) {
    Object.assign(this, { page, desk });
    this.line = document.createElementNS(SVG, "svg");
    this.line.setAttribute("class", "dragged");
    page.element.append(this.line);
    page.element.addEventListener("pointerdown", (event) => this.down(event));
    // A second click is another click here: what the browser would select for it is not wanted.
    page.element.addEventListener("mousedown", (event) => {
      this.clicks = event.detail;
      if (event.detail > 1) event.preventDefault();
    });
    page.element.addEventListener("dragstart", (event) => event.preventDefault());
    page.overlay.addEventListener("pointerdown", (event) => this.handleDown(event));
  }

  idsAt(target) {
    return target?.closest?.(".seg, .tag")?._ids ?? [];
  }

  down(event) {
    if (event.button !== 0 || event.target.closest(".handle")) return;
    getSelection().removeAllRanges();
    const { text } = this.desk;
    const ids = event.altKey ? [] : this.idsAt(event.target);
    this.from = ids.length ? { id: this.desk.selectedAmong(ids) ?? ids.at(-1), x: event.clientX, y: event.clientY } : null;
    const move = (e) => this.from && this.drag(e);
    const up = (e) => {
      removeEventListener("pointermove", move);
      this.line.replaceChildren();
      this.page.element.classList.remove("relating");
      if (this.desk.text === text) this.up(e); // the same note still
    };
    addEventListener("pointermove", move);
    // Anywhere: a selection may end beside the text.
    addEventListener("pointerup", up, { once: true });
  }

  /* Over another mention a drag is a relation, elsewhere it selects text. */
  drag(event) {
    this.target = this.targetAt(event);
    this.page.element.classList.toggle("relating", Boolean(this.target));
    this.line.replaceChildren();
    if (!this.target) return;
    getSelection().removeAllRanges();
    const origin = this.page.element.getBoundingClientRect();
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", `M${this.from.x - origin.left},${this.from.y - origin.top} L${event.clientX - origin.left},${event.clientY - origin.top}`);
    this.line.append(path);
  }

  targetAt(event) {
    const under = document.elementFromPoint(event.clientX, event.clientY);
    const ids = this.page.text.contains(under) ? this.idsAt(under) : [];
    return ids.length && !ids.includes(this.from.id) ? ids.at(-1) : null;
  }

  up(event) {
    const from = this.from;
    const target = from && this.targetAt(event);
    const span = this.selectedText();
    this.from = null;
    getSelection().removeAllRanges();
    if (target) this.desk.related(from.id, target);
    else if (span && from && !this.desk.holds(from.id, ...span)) this.desk.missed();
    else if (span) this.desk.selectionChosen(...span, event.altKey);
    else this.desk.clicked(this.idsAt(event.target), this.page.offsetAt(event.clientX, event.clientY), this.clicks);
  }

  /* The browser's selection as [start, end) of the note, what lies outside of it cut off; null if it is empty. */
  selectedText() {
    const selection = getSelection();
    if (selection.isCollapsed || !selection.rangeCount) return null;
    const range = selection.getRangeAt(0).cloneRange();
    const whole = document.createRange();
    whole.selectNodeContents(this.page.text);
    if (range.compareBoundaryPoints(Range.START_TO_START, whole) < 0) range.setStart(whole.startContainer, whole.startOffset);
    if (range.compareBoundaryPoints(Range.END_TO_END, whole) > 0) range.setEnd(whole.endContainer, whole.endOffset);
    const ends = [this.page.offsetOf(range.startContainer, range.startOffset), this.page.offsetOf(range.endContainer, range.endOffset)];
    return ends[0] !== null && ends[1] !== null && ends[0] < ends[1] ? ends : null;
  }

  /* Handles at both ends of the selected mention. */
  showHandles(mention) {
    for (const old of this.page.overlay.querySelectorAll(".handle")) old.remove();
    if (!mention || mention.fragments?.length) return;
    const boxes = this.page.rectangles(mention.start, mention.end);
    if (!boxes.length) return;
    for (const [end, box, x] of [["start", boxes[0], boxes[0].left], ["end", boxes.at(-1), boxes.at(-1).right]]) {
      const handle = element("span", `handle ${end}`);
      handle.dataset.end = end;
      handle.title = "Drag to resize; with Alt to the letter";
      Object.assign(handle.style, { left: `${x}px`, top: `${box.top}px`, height: `${box.bottom - box.top}px` });
      this.page.overlay.append(handle);
    }
  }

  handleDown(event) {
    const end = event.target.closest(".handle")?.dataset.end;
    if (!end) return;
    event.preventDefault();
    const mention = this.desk.selectedMention;
    let place = [mention.start, mention.end];
    const move = (e) => {
      this.page.overlay.classList.add("through");
      const at = this.page.offsetAt(e.clientX, e.clientY);
      this.page.overlay.classList.remove("through");
      if (at === null) return;
      // Only the end that is dragged moves.
      const { text } = this.desk;
      const raw = end === "start" ? [Math.min(at, mention.end - 1), mention.end] : [mention.start, Math.max(at, mention.start + 1)];
      const near = e.altKey ? text.trimmed(...raw) : text.snapped(...raw);
      if (near) place = end === "start" ? [near[0], mention.end] : [mention.start, near[1]];
      this.desk.preview(place);
    };
    const up = () => {
      removeEventListener("pointermove", move);
      this.desk.preview(null);
      if (place[0] !== mention.start || place[1] !== mention.end) this.desk.resized(mention.id, ...place);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up, { once: true });
  }
}
