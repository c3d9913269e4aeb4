/* A note's text: words, and offsets in both ways of counting.
   Here offsets are UTF-16 units, as in JavaScript; Python and the store count code points. */

class NoteText {
  constructor(string) {
    this.string = string;
    this.points = /[\uD800-\uDFFF]/.test(string) ? pointsBefore(string) : null;
    this.starts = [];
    this.ends = [];
    for (const { segment, index } of new Intl.Segmenter("en", { granularity: "word" }).segment(string)) {
      if (segment.trim()) {
        this.starts.push(index);
        this.ends.push(index + segment.length);
      }
    }
  }

  /* Code points before a UTF-16 offset. */
  toPoints(unit) {
    return this.points ? this.points[unit] : unit;
  }

  /* The UTF-16 offset with so many code points before it. */
  toUnits(point) {
    return this.points ? firstAtLeast(this.points, point) : point;
  }

  get words() {
    return this.starts.length;
  }

  /* The word that holds or follows an offset (the last one, at the end). */
  wordAt(offset) {
    return Math.min(firstAtLeast(this.ends, offset + 1), this.words - 1);
  }

  /* The first word, from one on and then from the start, that begins like this, in any case; -1 for none. */
  wordFrom(from, letters) {
    const wanted = letters.toLowerCase();
    for (let i = 0; wanted && i < this.words; i++) {
      const at = (from + i) % this.words;
      if (this.string.slice(this.starts[at], this.starts[at] + letters.length).toLowerCase() === wanted) return at;
    }
    return -1;
  }

  /* [start, end) widened to whole words, or null where there is none. */
  snapped(start, end) {
    const first = firstAtLeast(this.ends, start + 1);
    const last = firstAtLeast(this.starts, end) - 1;
    return first <= last && last < this.words ? [this.starts[first], this.ends[last]] : null;
  }

  /* [start, end) without white space at its ends, never half a surrogate pair, or null. */
  trimmed(start, end) {
    const low = (unit) => unit > 0 && /[\uDC00-\uDFFF]/.test(this.string[unit] ?? "") && /[\uD800-\uDBFF]/.test(this.string[unit - 1]);
    if (low(start)) start -= 1;
    if (low(end)) end += 1;
    const part = this.string.slice(start, end);
    const lead = part.length - part.trimStart().length;
    return part.trim() ? [start + lead, start + lead + part.trim().length] : null;
  }

  /* The next place where a character (as a person sees it) begins. */
  step(offset, by) {
    const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
    if (by > 0) {
      for (const { segment } of graphemes.segment(this.string.slice(offset, offset + 64))) return offset + segment.length;
      return offset;
    }
    const from = Math.max(0, offset - 64);
    let last = from;
    for (const { index } of graphemes.segment(this.string.slice(from, offset))) last = from + index;
    return last;
  }

  /* Every other place of a string: [start, end) pairs. */
  occurrences(what, { sameCase, wholeWords }) {
    const fold = (s) => (sameCase ? s : lowerCase(s));
    const hay = fold(this.string);
    const needle = fold(what);
    const found = [];
    for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + needle.length)) {
      const end = at + needle.length;
      const whole = this.snapped(at, end);
      if (!wholeWords || (whole && whole[0] === at && whole[1] === end)) found.push([at, end]);
    }
    return found;
  }
}

/* Lower case, letter by letter, where that keeps the length: offsets stay right ("İ" has two in lower case). */
function lowerCase(string) {
  const lower = string.toLowerCase();
  if (lower.length === string.length) return lower;
  return Array.from(string, (c) => (c.toLowerCase().length === c.length ? c.toLowerCase() : c)).join("");
}

function pointsBefore(string) {
  const points = new Uint32Array(string.length + 1);
  for (let i = 0; i < string.length; i++) {
    // A pair counts at its second half, so that no point leads into its middle.
    const first = /[\uD800-\uDBFF]/.test(string[i]) && /[\uDC00-\uDFFF]/.test(string[i + 1] ?? "");
    points[i + 1] = points[i] + (first ? 0 : 1);
  }
  return points;
}

/* The first place in an ascending array whose value is at least `value`. */
function firstAtLeast(array, value) {
  let low = 0;
  let high = array.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (array[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
