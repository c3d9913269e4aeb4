/* What the server has not acknowledged yet. A document's newest save takes the place of an older one; one goes at a time;
   what fails is sent again until it is through, so a lost connection loses nothing while the page is open. */

const PAUSES = [500, 1000, 2000, 5000, 10000]; // milliseconds between tries
const LONGEST = 900; // milliseconds that a change waits for others to come with it

async function call(name, payload, { keepalive = false, patience = 20000 } = {}) {
  const response = await fetch(new URL(`gradio_api/run/${name}`, document.baseURI), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ data: [payload] }),
    keepalive,
    ...(!keepalive && { signal: AbortSignal.timeout(patience) }),
  });
  if (response.status === 401) throw new Error("you are no longer logged in: log in again in another tab, this page keeps your changes");
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return (await response.json()).data[0];
}

class Outbox {
  constructor({ onState, onSaved, onConflict }) {
    Object.assign(this, { onState, onSaved, onConflict });
    this.waiting = new Map(); // document → payload
    this.held = new Set(); // documents in conflict: nothing goes until a person has chosen
    this.failures = 0;
    this.problem = "";
    this.timer = null;
    this.sending = null;
    addEventListener("beforeunload", (event) => {
      if (this.waiting.size) {
        this.flush();
        event.preventDefault();
      }
    });
    addEventListener("pagehide", () => this.flush());
    addEventListener("online", () => this.send(0));
  }

  put(payload, delay) {
    this.waiting.set(payload.document, payload);
    this.since ??= Date.now();
    this.tell();
    // Somebody who never pauses is saved all the same.
    if (!this.sending && !this.failures) this.send(Math.max(0, Math.min(delay, this.since + LONGEST - Date.now())));
  }

  forget(document) {
    this.waiting.delete(document);
    this.held.delete(document);
    this.tell();
  }

  send(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.next(), delay);
  }

  async next() {
    const payload = [...this.waiting.values()].find((p) => !this.held.has(p.document));
    if (this.sending || !payload) return;
    this.sending = payload;
    this.since = null;
    this.tell();
    let answer;
    try {
      answer = await call("annotate-save", payload);
      this.problem = answer.problem ?? "";
    } catch (error) {
      answer = null;
      this.problem = error.name === "TypeError" || error.name === "TimeoutError" ? "" : error.message;
    }
    this.sending = null;
    if (answer && !answer.problem) {
      this.failures = 0;
      const newer = this.waiting.get(payload.document) !== payload;
      if (answer.conflict) this.held.add(payload.document);
      else if (!newer) this.waiting.delete(payload.document);
      if (answer.conflict) this.onConflict(payload, answer.conflict);
      else this.onSaved(payload, answer);
    } else this.failures += 1;
    this.tell();
    if (this.waiting.size) this.send(this.failures ? PAUSES[Math.min(this.failures, PAUSES.length) - 1] : 0);
  }

  /* The page goes away: a last try that the browser carries on with. */
  flush() {
    for (const payload of this.waiting.values()) {
      if (!this.held.has(payload.document)) call("annotate-save", payload, { keepalive: true }).catch(() => {});
    }
  }

  tell() {
    const offline = this.failures > 0 && !this.problem;
    this.onState({
      state: this.held.size ? "conflict" : this.problem ? "problem" : offline ? "offline" : this.waiting.size ? "saving" : "saved",
      waiting: this.waiting.size,
      problem: this.problem,
    });
  }
}
