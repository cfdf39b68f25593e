// What the page holds: compressed JSON in elements of this file, or in scripts beside it that are loaded when wanted.

let board = null;
const parts = new Map();
const waiting = new Map();

/** The part `part` of the page's data, unpacked once. Throws where it is missing or damaged. */
function unpack(part) {
  if (!parts.has(part)) parts.set(part, packed(part).then(inflate).then(JSON.parse));
  return parts.get(part);
}

async function packed(part) {
  const element = document.getElementById("data-" + part);
  if (element) return element.textContent;
  const { parts: hashes } = await unpack("seal");
  return beside(part + "-" + hashes[part].slice(0, 12)); // by its content: never another page's
}

// Scripts beside the page call this with what they hold: a page from a folder on disk may load scripts, and nothing else.
window.evalsuiteData = (part, text) => {
  const found = waiting.get(part);
  if (found) found(text);
};

function beside(part) {
  return new Promise((resolve, reject) => {
    waiting.set(part, resolve);
    const script = el("script", { src: "data/" + part + ".js" });
    script.addEventListener("error", () => reject(new Error("data/" + part + ".js")));
    document.head.append(script);
  });
}

async function inflate(text) {
  const stream = new Blob([bytesOf(text.trim())]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const chars = atob(base64);
  const raw = new Uint8Array(chars.length);
  for (let at = 0; at < chars.length; at += 1) raw[at] = chars.charCodeAt(at);
  return raw;
}

/** The samples of the task at `place` in `board.tasks`. */
function samplesOf(place) {
  return unpack("samples-" + place);
}

/** Rows of the leaderboard by place, best first where there are ranks. */
function rowsInOrder() {
  const ranked = board.ranking ? board.ranking.standings.map((standing) => standing.row) : [];
  const others = board.rows.map((_, place) => place).filter((place) => !ranked.includes(place));
  return [...ranked, ...others];
}

/** Runs by place, those of the best row first. */
function runsInOrder() {
  return rowsInOrder().flatMap((row) => board.rows[row].runs);
}

/** The runs of a row. */
function runsOf(row) {
  return board.rows[row].runs.map((run) => board.runs[run]);
}

/** What a row is called: its model, with the id of its first run where another row has that model too. */
function rowName(row) {
  return nameAmong(
    runsOf(row)[0],
    board.rows.map((_, at) => runsOf(at)[0]),
  );
}

/** What a run is called: its name, with its id where another run has that name too. */
function runName(place) {
  return nameAmong(board.runs[place], board.runs);
}

function nameAmong(run, runs) {
  const isShared = runs.some((other) => other !== run && other.name === run.name);
  return isShared ? run.name + " (" + run.id.slice(0, 8) + ")" : run.name;
}

/** The start of a run's id, which stands for it in addresses. */
function shortId(run) {
  return board.runs[run].id.slice(0, 8);
}

/** A list `[value, low, high, …]` as a cell with names, or null. */
function cellOf(list) {
  if (!list) return null;
  const [
    value,
    low,
    high,
    n,
    clusters,
    unscored = 0,
    worst = null,
    best = null,
    chance = null,
    isChat = false,
    notes = [],
  ] = list;
  return { value, low, high, n, clusters, unscored, worst, best, chance, isChat, notes };
}
