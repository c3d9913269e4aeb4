/* Every key, with what it does: the one list that dispatch and the help read. A schema's own letters add to it;
   its digits always work. */

const COMMANDS = [
  ["Move", "j", "next mention", (d) => d.step(1)],
  ["Move", "k", "previous mention", (d) => d.step(-1)],
  ["Move", "ArrowRight", "next word", (d) => d.word(1)],
  ["Move", "ArrowLeft", "previous word", (d) => d.word(-1)],
  ["Move", "ArrowDown", "a line down", (d) => d.row(1)],
  ["Move", "ArrowUp", "a line up", (d) => d.row(-1)],
  ["Move", "/", "find a word by its first letters (→ the next, Enter there)", (d) => d.beginFinding()],
  ["Move", "e", "next relation of the mention", (d) => d.edge()],
  ["Move", "Escape", "let go of what is selected", (d) => d.letGo()],
  ["Mark", "Shift+ArrowRight", "longer: the selection, or the mention", (d) => d.extend(1, "word")],
  ["Mark", "Shift+ArrowLeft", "shorter, or the other way", (d) => d.extend(-1, "word")],
  ["Mark", "Alt+Shift+ArrowRight", "longer by a letter", (d) => d.extend(1, "letter")],
  ["Mark", "Alt+Shift+ArrowLeft", "shorter by a letter", (d) => d.extend(-1, "letter")],
  ["Mark", "Ctrl+Shift+ArrowLeft", "the mention begins a word earlier", (d) => d.begin(-1)],
  ["Mark", "Ctrl+Shift+ArrowRight", "the mention begins a word later", (d) => d.begin(1)],
  ["Mark", "Enter", "mark the selection with the type in use", (d) => d.addPending()],
  ["Mark", "v", "next value of the mention's attribute (present, absent, …)", (d) => d.cycleAttribute(1)],
  ["Mark", "V", "previous value", (d) => d.cycleAttribute(-1)],
  ["Mark", "o", "mark all other occurrences", (d) => d.occurrences()],
  ["Mark", "Delete", "delete the mention or relation", (d) => d.remove()],
  ["Mark", "Backspace", "delete the mention or relation", (d) => d.remove()],
  ["Relate", "r", "relate the mention to another", (d) => d.beginRelation()],
  ["Relate", "i", "turn the relation round", (d) => d.invert()],
  ["Suggestions", "a", "accept the suggestion, go to the next", (d) => d.accept()],
  ["Suggestions", "x", "reject the suggestion, go to the next", (d) => d.reject()],
  ["Suggestions", "n", "next suggestion", (d) => d.nextSuggestion()],
  ["Suggestions", "A", "accept all that are open", (d) => d.acceptAll(0)],
  ["Suggestions", "X", "reject all that are open", (d) => d.rejectAll()],
  ["Document", "c", "complete, go to the next", (d) => d.finish("complete")],
  ["Document", "z", "skip, go to the next", (d) => d.finish("skipped")],
  ["Document", "f", "flag for somebody else, go to the next", (d) => d.finish("flagged")],
  ["Document", ".", "next document", (d) => d.go(1)],
  ["Document", ",", "previous document", (d) => d.go(-1)],
  ["Document", "m", "write a note on the document", (d) => d.writeNote()],
  ["Document", "Ctrl+z", "undo", (d) => d.undo()],
  ["Document", "Ctrl+Shift+z", "redo", (d) => d.redo()],
  ["Document", "Ctrl+y", "redo", (d) => d.redo()],
  ["Document", "w", "guidelines", (d) => d.toggle("guidelines")],
  ["Document", "?", "these keys", (d) => d.toggle("help")],
];

const KEYS = new Map(COMMANDS.map(([, key, , run]) => [key, run]));

/* The keys of a schema's types: their own letter unless a command has it, and their number. */
function typeKeys(schema) {
  const keys = new Map();
  schema.entities.forEach((type, i) => {
    if (i < 9) keys.set(String(i + 1), type.name);
    if (!KEYS.has(type.shortcut)) keys.set(type.shortcut, type.name);
  });
  return keys;
}

function keyOf(event) {
  const named = event.key.length > 1;
  // Shift decides, not Caps Lock.
  const plain = /^[a-z]$/i.test(event.key) ? event.key[event.shiftKey ? "toUpperCase" : "toLowerCase"]() : event.key;
  const letter = !named && (event.ctrlKey || event.metaKey) ? event.key.toLowerCase() : plain;
  const shift = event.shiftKey && (named || event.ctrlKey || event.metaKey);
  // With Alt a letter is the browser's, or of another alphabet.
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shift ? "Shift+" : ""}${letter}`;
}

const SIGNS = { ArrowRight: "→", ArrowLeft: "←", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };

function keyName(key) {
  const parts = key === "+" ? [key] : key.split("+");
  return parts.map((p) => SIGNS[p] ?? p).join(" ");
}

/* Letters to point at targets with, the nearest first: one letter for as many as can have one, two for the rest. */
function hintLetters(count) {
  const letters = [..."fjdkslaghrueiwoqptyvncmxbz"];
  const firsts = letters.slice(Math.min(letters.length, letters.length - Math.ceil((count - letters.length) / (letters.length - 1))));
  const singles = letters.filter((l) => !firsts.includes(l));
  return [...singles, ...firsts.flatMap((a) => letters.map((b) => a + b))].slice(0, count);
}
