/* Relations as arcs above the lines of a NotePage. Short arcs lie low, longer ones in lanes above them; an arc between
   two lines goes round by the gutter on the left, where it has a lane of its own. */

const LANE = 17; // pixels
const GUTTER = { left: 8, lane: 6, lanes: 7 };
const CHARACTER = 6.4; // width of a letter of a label, about
const SVG = "http://www.w3.org/2000/svg";

class Arcs {
  constructor(page, { onPick } = {}) {
    this.page = page;
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("class", "arcs");
    this.svg.setAttribute("aria-hidden", "true");
    page.element.append(this.svg);
    this.arcs = [];
    this.groups = new Map();
    this.raised = new Map(); // segments that make their row of text taller → pixels
    if (onPick) {
      this.svg.addEventListener("pointerdown", (event) => {
        const id = event.target.closest("[data-arc]")?.dataset.arc;
        if (id !== undefined) {
          event.preventDefault();
          event.stopPropagation();
          onPick(id);
        }
      });
    }
  }

  /* Lay out and draw. Making room for the arcs of a line moves what is below it, so places are read twice. */
  draw(arcs) {
    // What covers a line's end alone is nowhere to be seen, and has no arcs.
    arcs = arcs.filter((a) => [a.head, a.tail].every((id) => this.page.anchorsOf(id).length));
    this.arcs = arcs;
    let routes = this.routes(arcs);
    if (this.makeRoom(routes)) routes = this.routes(arcs);
    this.svg.replaceChildren();
    this.groups = new Map();
    this.svg.setAttribute("height", this.page.text.offsetHeight);
    for (const route of routes) {
      const group = this.figure(route);
      this.groups.set(route.arc.id, { group, ends: [route.arc.head, route.arc.tail] });
      this.svg.append(group);
    }
  }

  /* The arcs of what is selected in front, the others pale. */
  select(ids, arcId) {
    const chosen = new Set(ids);
    for (const [id, { group, ends }] of this.groups) {
      const front = id === arcId || ends.some((e) => chosen.has(e));
      group.classList.toggle("front", front);
      group.classList.toggle("picked", id === arcId);
      if (front) this.svg.append(group);
    }
    this.svg.classList.toggle("some-front", this.groups.size > 0 && this.svg.querySelector(".front") !== null);
  }

  routes(arcs) {
    const origin = this.page.element.getBoundingClientRect();
    const places = new Map();
    const placeOf = (id) => {
      if (!places.has(id)) {
        // A mention over several rows is reached on its last one.
        const anchor = this.page.anchorsOf(id).at(-1);
        const last = [...anchor.last.getClientRects()].at(-1) ?? anchor.last.getBoundingClientRect();
        const first = anchor.first.getClientRects()[0] ?? last;
        const left = Math.abs(last.top - first.top) < 4 ? first.left : last.left;
        places.set(id, {
          x: (left + last.right) / 2 - origin.left,
          width: last.right - left,
          y: last.top - origin.top,
          segment: anchor.last,
          row: `${anchor.n}:${Math.round(last.top)}`,
        });
      }
      return places.get(id);
    };
    const routes = arcs.map((arc) => ({ arc, head: placeOf(arc.head), tail: placeOf(arc.tail) }));
    this.spread(routes);
    const rows = new Map(); // what lies above each row of text
    const legs = [];
    for (const route of routes) {
      const [a, b] = [route.head, route.tail];
      const label = route.arc.type.length * CHARACTER + 8;
      if (a.row === b.row) {
        const [from, to] = [Math.min(route.from, route.to), Math.max(route.from, route.to)];
        const slack = Math.max(0, (label - (to - from)) / 2);
        route.leg = { low: from - slack, high: to + slack, place: a };
        legs.push(route.leg);
      } else {
        const left = GUTTER.left;
        route.legs = [a, b].map((place, i) => ({ low: left, high: Math.max(i ? route.to : route.from, i === 0 ? left + label + 40 : 0), place }));
        legs.push(...route.legs);
      }
    }
    for (const leg of legs) {
      const row = rows.get(leg.place.row) ?? [];
      row.push(leg);
      rows.set(leg.place.row, row);
    }
    for (const row of rows.values()) lanes(row, (leg) => leg.high - leg.low);
    const across = routes.filter((r) => r.legs).map((r) => ({ route: r, low: Math.min(r.head.y, r.tail.y) - LANE, high: Math.max(r.head.y, r.tail.y) }));
    lanes(across, (a) => a.high - a.low);
    for (const a of across) a.route.gutter = GUTTER.left + GUTTER.lane * (GUTTER.lanes - 1 - (a.lane % GUTTER.lanes));
    return routes;
  }

  /* Several arcs at one mention leave it side by side. */
  spread(routes) {
    const at = new Map();
    for (const route of routes) {
      for (const [end, other] of [["head", "tail"], ["tail", "head"]]) {
        const key = route.arc[end];
        if (!at.has(key)) at.set(key, []);
        at.get(key).push({ route, end, toward: route[other].row === route[end].row ? route[other].x : -1e6 });
      }
    }
    for (const ends of at.values()) {
      ends.sort((a, b) => a.toward - b.toward);
      const { x, width } = ends[0].route[ends[0].end];
      const gap = Math.min(9, (width - 6) / Math.max(ends.length - 1, 1));
      ends.forEach(({ route, end }, i) => {
        route[end === "head" ? "from" : "to"] = x + (i - (ends.length - 1) / 2) * Math.max(gap, 0);
      });
    }
  }

  /* Make each row of text as tall as the arcs above it need: one of its mentions is raised. Whether anything moved. */
  makeRoom(routes) {
    const rows = new Map();
    for (const leg of routes.flatMap((r) => r.legs ?? [r.leg])) {
      const row = rows.get(leg.place.row) ?? { segment: leg.place.segment, room: 0 };
      row.room = Math.max(row.room, (leg.lane + 1) * LANE);
      rows.set(leg.place.row, row);
    }
    const need = new Map([...rows.values()].map(({ segment, room }) => [segment, room]));
    let moved = false;
    for (const [segment, room] of this.raised) {
      if (need.get(segment) === room && segment.isConnected) continue;
      segment.classList.remove("raised");
      segment.style.removeProperty("--room");
      moved = true;
    }
    for (const [segment, room] of need) {
      if (this.raised.get(segment) === room) continue;
      segment.classList.add("raised");
      segment.style.setProperty("--room", `${room}px`);
      moved = true;
    }
    this.raised = need;
    return moved;
  }

  figure({ arc, head, tail, from, to, leg, legs, gutter }) {
    const height = (l) => l.place.y - 3 - (l.lane + 1) * LANE + LANE / 2;
    const group = document.createElementNS(SVG, "g");
    group.setAttribute("class", `arc ${arc.look}`);
    group.dataset.arc = arc.id;
    let path;
    let label;
    if (leg) {
      const y = height(leg);
      const bend = Math.min(6, Math.abs(to - from) / 2) * Math.sign(to - from);
      path = `M${from},${head.y - 1} L${from},${y + 6} Q${from},${y} ${from + bend},${y} L${to - bend},${y} Q${to},${y} ${to},${y + 6} L${to},${tail.y - 2}`;
      label = [(from + to) / 2, y];
    } else {
      const [y1, y2] = legs.map(height);
      const turn = y2 > y1 ? 5 : -5;
      path = `M${from},${head.y - 1} L${from},${y1 + 5} Q${from},${y1} ${from - 5},${y1} L${gutter + 5},${y1} Q${gutter},${y1} ${gutter},${y1 + turn} L${gutter},${y2 - turn} Q${gutter},${y2} ${gutter + 5},${y2} L${to - 5},${y2} Q${to},${y2} ${to},${y2 + 5} L${to},${tail.y - 2}`;
      label = [Math.max(gutter + 14, Math.min(from, gutter + 60)) + (arc.type.length * CHARACTER) / 2, y1];
    }
    for (const [tag, attributes] of [
      ["path", { class: "hit", d: path }],
      ["path", { class: "stroke", d: path }],
      ["path", { class: "head", d: `M${to},${tail.y} l-4,-7 l8,0 z` }],
    ]) {
      const part = document.createElementNS(SVG, tag);
      for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
      group.append(part);
    }
    const text = document.createElementNS(SVG, "text");
    text.setAttribute("x", label[0]);
    text.setAttribute("y", label[1] + 3.5);
    text.textContent = arc.type;
    group.append(text);
    return group;
  }
}

/* Give each interval [low, high) the lowest lane that is free there, the shortest first: what is inside
   another lies below it, and the two don't cross. */
function lanes(intervals, length) {
  const taken = [];
  for (const interval of [...intervals].sort((a, b) => length(a) - length(b) || a.low - b.low)) {
    let lane = 0;
    while (taken[lane]?.some((t) => t.low < interval.high + 4 && interval.low < t.high + 4)) lane += 1;
    (taken[lane] ??= []).push(interval);
    interval.lane = lane;
  }
}
