/* What the server has not acknowledged yet. A document's newest save takes the place of an older one; one goes at a time.
   A lost connection holds everything until it is back; what the server refuses rests and is tried again, while others go on. */

const PAUSES = [500, 1000, 2000, 5000, 10000]; // milliseconds between tries
const LONGEST = 900; // milliseconds that a change waits for others to come with it
const CARRIED = 60000; // bytes that a browser sends on for a page that is gone

async function call(name, payload, { keepalive = false, patience = 20000 } = {}) {
  const response = await fetch(new URL(`gradio_api/run/${name}`, document.baseURI), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ data: [payload] }),
    keepalive,
    ...(!keepalive && { signal: AbortSignal.timeout(patience) }),
  });
  if (response.status === 401) throw new Error("you are no longer logged in: log in again in another tab, this page keeps your changes");
  if (!response.ok) return { problem: `the server answered ${response.status}` };
  return (await response.json()).data[0];
}

class Outbox {
  constructor({ onState, onSaved, onConflict, onRefused }) {
    Object.assign(this, { onState, onSaved, onConflict, onRefused });
    this.waiting = new Map(); // document → payload
    this.held = new Set(); // documents in conflict: nothing goes until a person has chosen
    this.resting = new Map(); // documents that were refused → when they are tried again
    this.failures = 0;
    this.problem = "";
    this.timer = null;
    this.sending = null;
    this.listening = new AbortController();
    const { signal } = this.listening;
    addEventListener("beforeunload", (event) => {
      if (!this.waiting.size) return;
      this.send(0); // most often it is through before the question is answered
      event.preventDefault();
    }, { signal });
    addEventListener("pagehide", () => this.flush(), { signal });
    addEventListener("online", () => this.send(0), { signal });
  }

  put(payload, delay) {
    this.waiting.set(payload.document, payload);
    this.resting.delete(payload.document);
    this.since ??= Date.now();
    this.tell();
    // Somebody who never pauses is saved all the same.
    if (!this.sending && !this.failures) this.send(Math.max(0, Math.min(delay, this.since + LONGEST - Date.now())));
  }

  forget(document) {
    this.waiting.delete(document);
    this.held.delete(document);
    this.resting.delete(document);
    this.tell();
  }

  close() {
    clearTimeout(this.timer);
    this.listening.abort();
  }

  send(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.next(), delay);
  }

  async next() {
    const ready = (p) => !this.held.has(p.document) && (this.resting.get(p.document) ?? 0) <= Date.now();
    const payload = [...this.waiting.values()].find(ready);
    if (this.sending) return;
    if (!payload) {
      if (this.resting.size) this.send(1000);
      return;
    }
    this.sending = payload;
    this.since = null;
    this.tell();
    let answer = null;
    try {
      answer = await call("annotate-save", payload);
      this.failures = 0;
      this.problem = "";
    } catch (error) {
      this.failures += 1;
      this.problem = error.name === "Error" ? error.message : "";
    }
    this.sending = null;
    if (answer) this.settle(payload, answer);
    this.tell();
    if (this.waiting.size) this.send(this.failures ? PAUSES[Math.min(this.failures, PAUSES.length) - 1] : 0);
  }

  settle(payload, answer) {
    const { document } = payload;
    if (answer.problem) {
      this.resting.set(document, Date.now() + PAUSES.at(-1));
      this.onRefused(payload, answer.problem);
      return;
    }
    this.resting.delete(document);
    if (answer.conflict || answer.stale) {
      this.held.add(document);
      this.onConflict(payload, answer);
      return;
    }
    if (this.waiting.get(document) === payload) this.waiting.delete(document);
    this.onSaved(payload, answer);
  }

  /* The page goes away: a last try, of what the browser carries on with. */
  flush() {
    for (const payload of this.waiting.values()) {
      if (!this.held.has(payload.document) && JSON.stringify(payload).length < CARRIED) call("annotate-save", payload, { keepalive: true }).catch(() => {});
    }
  }

  tell() {
    const offline = this.failures > 0 && !this.problem;
    const state = this.held.size ? "conflict" : this.problem ? "problem" : offline ? "offline" : this.resting.size ? "refused" : this.waiting.size ? "saving" : "saved";
    this.onState({ state, waiting: this.waiting.size, problem: this.problem });
  }
}
